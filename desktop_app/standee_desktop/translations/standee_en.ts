<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name>ComposeBar</name>
    <message numerus="yes">
        <source>%n more</source>
        <translation>
            <numerusform>%n more</numerusform>
            <numerusform>%n more</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Composer</name>
    <message numerus="yes">
        <source>Discard %n result(s)</source>
        <translation>
            <numerusform>Discard %n result</numerusform>
            <numerusform>Discard %n results</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>DaemonLink</name>
    <message numerus="yes">
        <source>It was stopped after %n minute(s) without a sign of life.</source>
        <translation>
            <numerusform>It was stopped after %n minute without a sign of life.</numerusform>
            <numerusform>It was stopped after %n minutes without a sign of life.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>LayerSettings</name>
    <message numerus="yes">
        <source>%n token(s) of its own</source>
        <translation>
            <numerusform>%n token of its own</numerusform>
            <numerusform>%n tokens of its own</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n hidden</source>
        <translation>
            <numerusform>%n hidden</numerusform>
            <numerusform>%n hidden</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n off the canvas</source>
        <translation>
            <numerusform>%n off the canvas</numerusform>
            <numerusform>%n off the canvas</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ModelList</name>
    <message numerus="yes">
        <source>Show all %n model(s)</source>
        <translation>
            <numerusform>Show the one model</numerusform>
            <numerusform>Show all %n models</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>StatusBar</name>
    <message numerus="yes">
        <source>%n layers selected</source>
        <translation>
            <numerusform>%n layer selected</numerusform>
            <numerusform>%n layers selected</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n layer(s)</source>
        <translation>
            <numerusform>%n layer</numerusform>
            <numerusform>%n layers</numerusform>
        </translation>
    </message>
</context>
</TS>
