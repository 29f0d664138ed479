<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en">
<context>
    <name>Actions</name>
    <message>
        <source>&amp;New</source>
        <translation>新建(&amp;N)</translation>
    </message>
    <message>
        <source>&amp;Open…</source>
        <translation>打开(&amp;O)…</translation>
    </message>
    <message>
        <source>&amp;Save</source>
        <translation>保存(&amp;S)</translation>
    </message>
    <message>
        <source>Save &amp;as…</source>
        <translation>另存为(&amp;A)…</translation>
    </message>
    <message>
        <source>&amp;Export picture…</source>
        <translation>导出图片(&amp;E)…</translation>
    </message>
    <message>
        <source>Say in the metadata of exported pictures that a model made them</source>
        <translation>在导出的图片的元数据中注明由模型生成</translation>
    </message>
    <message>
        <source>&amp;Mark pictures as made by a model</source>
        <translation>标明图片由模型生成(&amp;M)</translation>
    </message>
    <message>
        <source>&amp;Welcome page</source>
        <translation>欢迎页(&amp;W)</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>退出(&amp;Q)</translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation>撤销(&amp;U)</translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation>重做(&amp;R)</translation>
    </message>
    <message>
        <source>Cu&amp;t</source>
        <translation>剪切(&amp;T)</translation>
    </message>
    <message>
        <source>&amp;Copy</source>
        <translation>复制(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;Paste</source>
        <translation>粘贴(&amp;P)</translation>
    </message>
    <message>
        <source>&amp;Duplicate</source>
        <translation>创建副本(&amp;D)</translation>
    </message>
    <message>
        <source>De&amp;lete</source>
        <translation>删除(&amp;L)</translation>
    </message>
    <message>
        <source>Select &amp;all</source>
        <translation>全选(&amp;A)</translation>
    </message>
    <message>
        <source>Select &amp;none</source>
        <translation>取消选择(&amp;N)</translation>
    </message>
    <message>
        <source>&amp;Add subject…</source>
        <translation>添加主体(&amp;A)…</translation>
    </message>
    <message>
        <source>&amp;Rename</source>
        <translation>重命名(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Flip</source>
        <translation>水平翻转(&amp;F)</translation>
    </message>
    <message>
        <source>Turn 90° le&amp;ft</source>
        <translation>向左旋转 90°(&amp;F)</translation>
    </message>
    <message>
        <source>&amp;Turn 90° right</source>
        <translation>向右旋转 90°(&amp;T)</translation>
    </message>
    <message>
        <source>Selected layers are selected, moved and turned together from now on</source>
        <translation>所选图层今后一起选中、移动和旋转</translation>
    </message>
    <message>
        <source>&amp;Group</source>
        <translation>编组(&amp;G)</translation>
    </message>
    <message>
        <source>U&amp;ngroup</source>
        <translation>取消编组(&amp;N)</translation>
    </message>
    <message>
        <source>&amp;Show or hide</source>
        <translation>显示或隐藏(&amp;S)</translation>
    </message>
    <message>
        <source>&amp;Lock or unlock</source>
        <translation>锁定或解锁(&amp;L)</translation>
    </message>
    <message>
        <source>Bring &amp;forward</source>
        <translation>上移一层(&amp;F)</translation>
    </message>
    <message>
        <source>Send &amp;backward</source>
        <translation>下移一层(&amp;B)</translation>
    </message>
    <message>
        <source>Bring to f&amp;ront</source>
        <translation>移到最前(&amp;R)</translation>
    </message>
    <message>
        <source>Send to bac&amp;k</source>
        <translation>移到最后(&amp;K)</translation>
    </message>
    <message>
        <source>&amp;Use as the scene</source>
        <translation>用作场景(&amp;U)</translation>
    </message>
    <message>
        <source>Fit rectangle to &amp;picture</source>
        <translation>矩形贴合图片(&amp;P)</translation>
    </message>
    <message>
        <source>Align left edges</source>
        <translation>左对齐</translation>
    </message>
    <message>
        <source>Align centres</source>
        <translation>水平居中对齐</translation>
    </message>
    <message>
        <source>Align right edges</source>
        <translation>右对齐</translation>
    </message>
    <message>
        <source>Align top edges</source>
        <translation>顶部对齐</translation>
    </message>
    <message>
        <source>Align middles</source>
        <translation>垂直居中对齐</translation>
    </message>
    <message>
        <source>Align bottom edges</source>
        <translation>底部对齐</translation>
    </message>
    <message>
        <source>Distribute across</source>
        <translation>水平均匀分布</translation>
    </message>
    <message>
        <source>Distribute down</source>
        <translation>垂直均匀分布</translation>
    </message>
    <message>
        <source>Zoom &amp;in</source>
        <translation>放大(&amp;I)</translation>
    </message>
    <message>
        <source>Zoom &amp;out</source>
        <translation>缩小(&amp;O)</translation>
    </message>
    <message>
        <source>&amp;Fit canvas</source>
        <translation>适合画布(&amp;F)</translation>
    </message>
    <message>
        <source>&amp;100 %</source>
        <translation>&amp;100 %</translation>
    </message>
    <message>
        <source>Fit &amp;selection</source>
        <translation>适合所选(&amp;S)</translation>
    </message>
    <message>
        <source>Show which tokens each subject will own, before anything is computed</source>
        <translation>在计算之前显示每个主体将占据哪些 token</translation>
    </message>
    <message>
        <source>&amp;Token view</source>
        <translation>Token 视图(&amp;T)</translation>
    </message>
    <message>
        <source>&amp;Kept region of the scene</source>
        <translation>场景的保留区域(&amp;K)</translation>
    </message>
    <message>
        <source>&amp;Rulers</source>
        <translation>标尺(&amp;R)</translation>
    </message>
    <message>
        <source>Snap to &amp;canvas</source>
        <translation>吸附到画布(&amp;C)</translation>
    </message>
    <message>
        <source>Snap to &amp;layers</source>
        <translation>吸附到图层(&amp;L)</translation>
    </message>
    <message>
        <source>Snap to to&amp;ken grid</source>
        <translation>吸附到 token 网格(&amp;K)</translation>
    </message>
    <message>
        <source>Snap to &amp;guides</source>
        <translation>吸附到参考线(&amp;G)</translation>
    </message>
    <message>
        <source>Remove all g&amp;uides</source>
        <translation>移除所有参考线(&amp;U)</translation>
    </message>
    <message>
        <source>&amp;As the system</source>
        <translation>跟随系统(&amp;A)</translation>
    </message>
    <message>
        <source>&amp;Light</source>
        <translation>浅色(&amp;L)</translation>
    </message>
    <message>
        <source>&amp;Dark</source>
        <translation>深色(&amp;D)</translation>
    </message>
    <message>
        <source>Show pictures as the ICC file of your screen says; again: as they are</source>
        <translation>按屏幕的 ICC 文件显示图片；再次选择则原样显示</translation>
    </message>
    <message>
        <source>Screen&apos;s colour &amp;profile…</source>
        <translation>屏幕色彩配置文件(&amp;P)…</translation>
    </message>
    <message>
        <source>Select and arrange layers</source>
        <translation>选择并排列图层</translation>
    </message>
    <message>
        <source>&amp;Arrange</source>
        <translation>排列(&amp;A)</translation>
    </message>
    <message>
        <source>Drag the edges of the canvas; around a scene this outpaints</source>
        <translation>拖动画布边缘；有场景时即为向外扩绘</translation>
    </message>
    <message>
        <source>&amp;Canvas edges</source>
        <translation>画布边缘(&amp;C)</translation>
    </message>
    <message>
        <source>Canvas &amp;size…</source>
        <translation>画布大小(&amp;S)…</translation>
    </message>
    <message>
        <source>&amp;Compose</source>
        <translation>合成(&amp;C)</translation>
    </message>
    <message>
        <source>Ca&amp;ncel</source>
        <translation>取消(&amp;N)</translation>
    </message>
    <message>
        <source>&amp;Live mode</source>
        <translation>实时模式(&amp;L)</translation>
    </message>
    <message>
        <source>&amp;Keyboard and mouse</source>
        <translation>键盘与鼠标(&amp;K)</translation>
    </message>
    <message>
        <source>&amp;About Standee</source>
        <translation>关于 Standee(&amp;A)</translation>
    </message>
</context>
<context>
    <name>ArrangeTool</name>
    <message>
        <source>Duplicate</source>
        <translation>创建副本</translation>
    </message>
    <message>
        <source>Move</source>
        <translation>移动</translation>
    </message>
    <message>
        <source>Resize</source>
        <translation>调整大小</translation>
    </message>
    <message>
        <source>Turn</source>
        <translation>旋转</translation>
    </message>
</context>
<context>
    <name>Assembly</name>
    <message>
        <source>Compose</source>
        <translation>合成</translation>
    </message>
    <message>
        <source>Scene</source>
        <translation>场景</translation>
    </message>
    <message>
        <source>Library</source>
        <translation>主体库</translation>
    </message>
    <message>
        <source>Results</source>
        <translation>结果</translation>
    </message>
    <message>
        <source>Draw a rectangle and say what shall be in it, without a picture of it</source>
        <translation>画一个矩形，并用文字说明其中应有什么，无需图片</translation>
    </message>
    <message>
        <source>Rectangle of &amp;words</source>
        <translation>文字矩形(&amp;W)</translation>
    </message>
    <message>
        <source>Click on what belongs to the selected subject, or draw a box around it</source>
        <translation>点击属于所选主体的部分，或在它周围画框</translation>
    </message>
    <message>
        <source>Cut out by clic&amp;ks</source>
        <translation>点击抠图(&amp;K)</translation>
    </message>
    <message>
        <source>Paint what belongs to the selected subject</source>
        <translation>绘制属于所选主体的部分</translation>
    </message>
    <message>
        <source>Cut-out &amp;brush</source>
        <translation>抠图画笔(&amp;B)</translation>
    </message>
    <message>
        <source>Paint what of the scene is made anew; the rest stays as it is</source>
        <translation>绘制场景中要重新生成的部分；其余保持不变</translation>
    </message>
    <message>
        <source>&amp;What changes</source>
        <translation>要改变的部分(&amp;W)</translation>
    </message>
    <message>
        <source>Cut &amp;out of its picture</source>
        <translation>从图片中抠出(&amp;O)</translation>
    </message>
    <message>
        <source>Cut out &amp;by its words</source>
        <translation>按描述抠出(&amp;B)</translation>
    </message>
    <message>
        <source>&amp;Keep in the library</source>
        <translation>收藏到主体库(&amp;K)</translation>
    </message>
    <message>
        <source>&amp;Variations in a grid</source>
        <translation>网格查看变体(&amp;V)</translation>
    </message>
    <message>
        <source>Cancel all jobs</source>
        <translation>取消所有任务</translation>
    </message>
    <message>
        <source>Compose as an &amp;edited collage</source>
        <translation>合成为编辑过的拼贴(&amp;E)</translation>
    </message>
    <message>
        <source>&amp;Roll another seed</source>
        <translation>换一个种子(&amp;R)</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>结果</translation>
    </message>
    <message>
        <source>Pictures (%1)</source>
        <translation>图片 (%1)</translation>
    </message>
    <message>
        <source>Choose pictures</source>
        <translation>选择图片</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
</context>
<context>
    <name>Autosave</name>
    <message>
        <source>Your work is not kept safe by itself at the moment: %1</source>
        <translation>目前无法自动保存您的工作：%1</translation>
    </message>
</context>
<context>
    <name>BrushBar</name>
    <message>
        <source>Grow</source>
        <translation>扩大</translation>
    </message>
    <message>
        <source>Shrink</source>
        <translation>收缩</translation>
    </message>
    <message>
        <source>Feather</source>
        <translation>羽化</translation>
    </message>
    <message>
        <source>More for the mask</source>
        <translation>更多蒙版操作</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>完成</translation>
    </message>
    <message>
        <source>Invert</source>
        <translation>反转</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>重置</translation>
    </message>
    <message>
        <source>Size of the brush</source>
        <translation>画笔大小</translation>
    </message>
    <message>
        <source>Softness of the brush</source>
        <translation>画笔柔和度</translation>
    </message>
    <message>
        <source>Grow, shrink or feather by</source>
        <translation>扩大、收缩或羽化的幅度</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大小</translation>
    </message>
    <message>
        <source>Soft</source>
        <translation>柔和</translation>
    </message>
    <message>
        <source>Edge</source>
        <translation>边缘</translation>
    </message>
    <message>
        <source>Words</source>
        <translation>描述</translation>
    </message>
    <message>
        <source>Let the words count here</source>
        <translation>让描述在这里起作用</translation>
    </message>
    <message>
        <source>Let them not count here</source>
        <translation>让描述在这里不起作用</translation>
    </message>
    <message>
        <source>Cut-out</source>
        <translation>抠图</translation>
    </message>
    <message>
        <source>What changes</source>
        <translation>要改变的部分</translation>
    </message>
    <message>
        <source>Add to the subject</source>
        <translation>添加到主体</translation>
    </message>
    <message>
        <source>Take away from the subject</source>
        <translation>从主体中去除</translation>
    </message>
    <message>
        <source>Mark to change</source>
        <translation>标记为改变</translation>
    </message>
    <message>
        <source>Mark to keep</source>
        <translation>标记为保留</translation>
    </message>
</context>
<context>
    <name>CanvasAdvice</name>
    <message>
        <source>%1 paints best at about %2 px; the canvas has %3 × %4 px.</source>
        <translation>%1 在约 %2 像素时效果最好；当前画布为 %3 × %4 像素。</translation>
    </message>
    <message>
        <source>Scale the canvas</source>
        <translation>缩放画布</translation>
    </message>
    <message>
        <source>The canvas shows only a part of this picture of %1 × %2 px.</source>
        <translation>画布只显示了这张 %1 × %2 像素图片的一部分。</translation>
    </message>
    <message>
        <source>Fit the canvas</source>
        <translation>使画布适合</translation>
    </message>
</context>
<context>
    <name>CanvasResizeTool</name>
    <message>
        <source>Canvas size</source>
        <translation>画布大小</translation>
    </message>
</context>
<context>
    <name>CanvasSizeDialog</name>
    <message>
        <source>Canvas size</source>
        <translation>画布大小</translation>
    </message>
    <message>
        <source>Preset</source>
        <translation>预设</translation>
    </message>
    <message>
        <source>Custom</source>
        <translation>自定义</translation>
    </message>
    <message>
        <source>Width, px</source>
        <translation>宽度（像素）</translation>
    </message>
    <message>
        <source>Height, px</source>
        <translation>高度（像素）</translation>
    </message>
    <message>
        <source>Width</source>
        <translation>宽度</translation>
    </message>
    <message>
        <source>Height</source>
        <translation>高度</translation>
    </message>
    <message>
        <source>Anchor</source>
        <translation>锚点</translation>
    </message>
    <message>
        <source>Apply</source>
        <translation>应用</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>top</source>
        <translation>上</translation>
    </message>
    <message>
        <source>middle</source>
        <translation>中</translation>
    </message>
    <message>
        <source>bottom</source>
        <translation>下</translation>
    </message>
    <message>
        <source>left</source>
        <translation>左</translation>
    </message>
    <message>
        <source>centre</source>
        <translation>中</translation>
    </message>
    <message>
        <source>right</source>
        <translation>右</translation>
    </message>
    <message>
        <source>%1 × %2 px, that is %3 × %4 tokens.</source>
        <translation>%1 × %2 像素，即 %3 × %4 个 token。</translation>
    </message>
</context>
<context>
    <name>CanvasView</name>
    <message>
        <source>Canvas</source>
        <translation>画布</translation>
    </message>
    <message>
        <source>Unnamed</source>
        <translation>未命名</translation>
    </message>
    <message>
        <source>Arrange layers: Tab selects, arrow keys move, Alt and arrow keys resize.</source>
        <translation>排列图层：Tab 选择，方向键移动，Alt 加方向键调整大小。</translation>
    </message>
</context>
<context>
    <name>ClicksBar</name>
    <message>
        <source>Cut-out</source>
        <translation>抠图</translation>
    </message>
    <message>
        <source>Click on what belongs to the subject  (X)</source>
        <translation>点击属于主体的部分 (X)</translation>
    </message>
    <message>
        <source>Click on what does not; Shift or Alt with a click does so too  (X)</source>
        <translation>点击不属于主体的部分；按住 Shift 或 Alt 点击亦可 (X)</translation>
    </message>
    <message>
        <source>What it is, in words</source>
        <translation>用文字说明它是什么</translation>
    </message>
    <message>
        <source>What the subject is, in words</source>
        <translation>用文字说明主体是什么</translation>
    </message>
    <message>
        <source>Finds what the words say, in the box if one is drawn</source>
        <translation>按文字查找；若已画框，则只在框内查找</translation>
    </message>
    <message>
        <source>One back</source>
        <translation>退一步</translation>
    </message>
    <message>
        <source>Forget the last click, box or words  (Backspace)</source>
        <translation>撤去上一次点击、框或文字 (Backspace)</translation>
    </message>
    <message>
        <source>Anew</source>
        <translation>重新开始</translation>
    </message>
    <message>
        <source>Forget the cut-out, and find the subject by itself</source>
        <translation>舍弃抠图，重新自动查找主体</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>丢弃</translation>
    </message>
    <message>
        <source>Leave the cut-out as it was  (Escape)</source>
        <translation>保持原来的抠图 (Escape)</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>完成</translation>
    </message>
    <message>
        <source>Take the preview as the cut-out  (Return)</source>
        <translation>采用预览作为抠图 (Return)</translation>
    </message>
</context>
<context>
    <name>ComposeBar</name>
    <message>
        <source>Progress</source>
        <translation>进度</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Compose</source>
        <translation>合成</translation>
    </message>
    <message numerus="yes">
        <source>%n more</source>
        <translation>
            <numerusform>还有 %n 个</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ComposePanel</name>
    <message>
        <source>Roll another seed</source>
        <translation>换一个种子</translation>
    </message>
    <message>
        <source>New seed each time</source>
        <translation>每次使用新种子</translation>
    </message>
    <message>
        <source>Auto</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Start fidelity</source>
        <translation>初始保真度</translation>
    </message>
    <message>
        <source>Compose</source>
        <translation>合成</translation>
    </message>
    <message>
        <source>Live</source>
        <translation>实时</translation>
    </message>
    <message>
        <source>What the whole picture shows, in words</source>
        <translation>用文字描述整幅画面</translation>
    </message>
    <message>
        <source>Prompt</source>
        <translation>提示词</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>种子</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>步数</translation>
    </message>
    <message>
        <source>Guidance</source>
        <translation>引导强度</translation>
    </message>
    <message>
        <source>Number of pictures</source>
        <translation>图片数量</translation>
    </message>
    <message>
        <source>Live mode</source>
        <translation>实时模式</translation>
    </message>
    <message>
        <source>More steps take longer and look finer</source>
        <translation>步数越多越慢，画面越精细</translation>
    </message>
    <message>
        <source>How closely the picture follows the prompt</source>
        <translation>画面遵循提示词的程度</translation>
    </message>
    <message>
        <source>How closely new subjects keep to their pictures</source>
        <translation>新主体与其图片的接近程度</translation>
    </message>
    <message>
        <source>Compose again whenever the arrangement changes</source>
        <translation>排列一有变化就重新合成</translation>
    </message>
    <message>
        <source>Pictures</source>
        <translation>图片数</translation>
    </message>
    <message>
        <source>LoRAs</source>
        <translation>LoRA</translation>
    </message>
</context>
<context>
    <name>Composer</name>
    <message>
        <source>Seed</source>
        <translation>种子</translation>
    </message>
    <message>
        <source>Jobs of the last document were cancelled: %1.</source>
        <translation>上一个文档的任务已取消：%1 个。</translation>
    </message>
    <message>
        <source>This result does not say how it was made.</source>
        <translation>此结果未记录其生成方式。</translation>
    </message>
    <message>
        <source>Use the settings of a result</source>
        <translation>使用结果的设置</translation>
    </message>
    <message>
        <source>Apply a result</source>
        <translation>应用结果</translation>
    </message>
    <message numerus="yes">
        <source>Discard %n result(s)</source>
        <translation>
            <numerusform>丢弃 %n 个结果</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ControlList</name>
    <message>
        <source>Control pictures</source>
        <translation>控制图</translation>
    </message>
    <message>
        <source>Add a control picture…</source>
        <translation>添加控制图…</translation>
    </message>
    <message>
        <source>A picture of depth, normals, lines or a pose that the result follows</source>
        <translation>一张深度、法线、线条或姿势图，结果将跟随它</translation>
    </message>
    <message>
        <source>Remove a control picture</source>
        <translation>移除一张控制图</translation>
    </message>
</context>
<context>
    <name>ControlRow</name>
    <message>
        <source>Control picture</source>
        <translation>控制图</translation>
    </message>
    <message>
        <source>Depth</source>
        <translation>深度</translation>
    </message>
    <message>
        <source>White is near, black is far</source>
        <translation>白色为近，黑色为远</translation>
    </message>
    <message>
        <source>Normals</source>
        <translation>法线</translation>
    </message>
    <message>
        <source>Red to the right, green up, blue towards you</source>
        <translation>红向右，绿向上，蓝朝向您</translation>
    </message>
    <message>
        <source>Lines</source>
        <translation>线条</translation>
    </message>
    <message>
        <source>White lines on black</source>
        <translation>黑底白线</translation>
    </message>
    <message>
        <source>Pose</source>
        <translation>姿势</translation>
    </message>
    <message>
        <source>A drawn skeleton on black</source>
        <translation>黑底上绘制的骨架</translation>
    </message>
    <message>
        <source>Kind of control</source>
        <translation>控制的种类</translation>
    </message>
    <message>
        <source>Follows it</source>
        <translation>谁跟随它</translation>
    </message>
    <message>
        <source>What follows it: the whole canvas, or one layer</source>
        <translation>什么跟随它：整张画布，或一个图层</translation>
    </message>
    <message>
        <source>Canvas</source>
        <translation>画布</translation>
    </message>
    <message>
        <source>Remove the control picture</source>
        <translation>移除此控制图</translation>
    </message>
    <message>
        <source>Layer</source>
        <translation>图层</translation>
    </message>
    <message>
        <source>Strength</source>
        <translation>强度</translation>
    </message>
    <message>
        <source>How strongly the result follows it</source>
        <translation>结果跟随它的强度</translation>
    </message>
    <message>
        <source>From</source>
        <translation>起</translation>
    </message>
    <message>
        <source>The share of the steps before it counts</source>
        <translation>从步数的哪个比例开始起作用</translation>
    </message>
    <message>
        <source>To</source>
        <translation>止</translation>
    </message>
    <message>
        <source>The share of the steps until which it counts</source>
        <translation>到步数的哪个比例为止</translation>
    </message>
    <message>
        <source>from</source>
        <translation>从</translation>
    </message>
    <message>
        <source>to</source>
        <translation>到</translation>
    </message>
</context>
<context>
    <name>CrashLog</name>
    <message>
        <source>Something went wrong in the editor. Your work is safe.</source>
        <translation>编辑器出了点问题。您的作品是安全的。</translation>
    </message>
</context>
<context>
    <name>CutoutClicks</name>
    <message>
        <source>Select a subject to cut out, one that is not locked.</source>
        <translation>请选择要抠图且未锁定的主体。</translation>
    </message>
</context>
<context>
    <name>Cutouts</name>
    <message>
        <source>Words in the layer&apos;s settings tell which part of its picture it is.</source>
        <translation>图层设置中的描述说明主体是图片中的哪一部分。</translation>
    </message>
    <message>
        <source>Say in words what the subject is.</source>
        <translation>请先填写主体的描述。</translation>
    </message>
    <message>
        <source>the subject</source>
        <translation>该主体</translation>
    </message>
    <message>
        <source>Cutting out %1…</source>
        <translation>正在抠出 %1…</translation>
    </message>
    <message>
        <source>Cutting out %1 subjects…</source>
        <translation>正在抠出 %1 个主体…</translation>
    </message>
    <message>
        <source>It waits for the daemon.</source>
        <translation>正在等待后台服务。</translation>
    </message>
    <message>
        <source>Click on it, paint it with the cut-out brush, or say in the layer&apos;s words what it is and cut it out by its words.</source>
        <translation>点击它，用抠图画笔绘制，或在图层文字中说明它是什么，再按文字抠图。</translation>
    </message>
    <message>
        <source>Cut out</source>
        <translation>抠图</translation>
    </message>
</context>
<context>
    <name>DaemonLink</name>
    <message numerus="yes">
        <source>It was stopped after %n minute(s) without a sign of life.</source>
        <translation>
            <numerusform>它在 %n 分钟内没有任何响应，已被停止。</numerusform>
        </translation>
    </message>
    <message>
        <source>Try again; if it happens once more, try another picture or model.</source>
        <translation>请重试；若再次发生，请换一张图片或一个模型。</translation>
    </message>
</context>
<context>
    <name>DaemonStatus</name>
    <message>
        <source>Connect again</source>
        <translation>重新连接</translation>
    </message>
    <message>
        <source>Restart the daemon</source>
        <translation>重启后台服务</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>就绪</translation>
    </message>
    <message>
        <source>Looking for the daemon…</source>
        <translation>正在寻找后台服务…</translation>
    </message>
    <message>
        <source>The daemon is away; trying again…</source>
        <translation>后台服务已断开，正在重试…</translation>
    </message>
    <message>
        <source>No daemon</source>
        <translation>没有后台服务</translation>
    </message>
    <message>
        <source>Daemon: %1</source>
        <translation>后台服务：%1</translation>
    </message>
</context>
<context>
    <name>DocumentFiles</name>
    <message>
        <source>Untitled</source>
        <translation>未命名</translation>
    </message>
    <message>
        <source>Standee documents and pictures (%1)</source>
        <translation>Standee 文档和图片 (%1)</translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation>所有文件 (*)</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>打开</translation>
    </message>
    <message>
        <source>Opening…</source>
        <translation>正在打开…</translation>
    </message>
    <message>
        <source>%1 pictures are missing in this document.</source>
        <translation>此文档缺少 %1 张图片。</translation>
    </message>
    <message>
        <source>Add them to their layers again.</source>
        <translation>请重新将它们添加到各自的图层。</translation>
    </message>
    <message>
        <source>Save as</source>
        <translation>另存为</translation>
    </message>
    <message>
        <source>Standee documents (*.standee)</source>
        <translation>Standee 文档 (*.standee)</translation>
    </message>
    <message>
        <source>Saving…</source>
        <translation>正在保存…</translation>
    </message>
    <message>
        <source>There is no result yet: compose first.</source>
        <translation>还没有结果：请先合成。</translation>
    </message>
    <message>
        <source>Export picture</source>
        <translation>导出图片</translation>
    </message>
    <message>
        <source>Exported %1. It carries the receipt that makes it again.</source>
        <translation>已导出 %1，其中带有可重新生成它的凭据。</translation>
    </message>
    <message>
        <source>Without pixels, and not in it: %1.</source>
        <translation>没有像素、未写入的图层：%1。</translation>
    </message>
    <message>
        <source>No layer of shadows: the result has none.</source>
        <translation>没有阴影图层：结果中没有阴影。</translation>
    </message>
    <message>
        <source>No layer of shadows: the result shows another place than the scene.</source>
        <translation>没有阴影图层：结果所示的地方与场景不同。</translation>
    </message>
    <message>
        <source>No layer of shadows: that takes a scene to compare the result with.</source>
        <translation>没有阴影图层：需要有场景才能与结果比较。</translation>
    </message>
    <message>
        <source>Exported %1: the result, and below it each subject as a layer.</source>
        <translation>已导出 %1：结果在最上层，其下每个主体各为一个图层。</translation>
    </message>
    <message>
        <source>Standee ended before “%1” was saved (%2).</source>
        <translation>Standee 在保存“%1”之前意外结束（%2）。</translation>
    </message>
    <message>
        <source>“%1” was still being composed when Standee ended (%2).</source>
        <translation>Standee 结束时“%1”仍在合成中（%2）。</translation>
    </message>
    <message>
        <source>Everything up to that moment can be brought back.</source>
        <translation>那一刻之前的所有内容都可以恢复。</translation>
    </message>
</context>
<context>
    <name>Downloads</name>
    <message>
        <source>not named</source>
        <translation>未注明</translation>
    </message>
    <message>
        <source>Not on this machine: %1.</source>
        <translation>本机没有：%1。</translation>
    </message>
    <message>
        <source>Its licence: %1.</source>
        <translation>许可证：%1。</translation>
    </message>
    <message>
        <source>It has to be accepted on its page first.</source>
        <translation>需先在其页面上接受许可证。</translation>
    </message>
</context>
<context>
    <name>EditCommands</name>
    <message>
        <source>&amp;Undo %1</source>
        <translation>撤销 %1(&amp;U)</translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation>撤销(&amp;U)</translation>
    </message>
    <message>
        <source>&amp;Redo %1</source>
        <translation>重做 %1(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation>重做(&amp;R)</translation>
    </message>
    <message>
        <source>Cut</source>
        <translation>剪切</translation>
    </message>
    <message>
        <source>Paste</source>
        <translation>粘贴</translation>
    </message>
    <message>
        <source>Duplicate</source>
        <translation>创建副本</translation>
    </message>
</context>
<context>
    <name>ErrorFixes</name>
    <message>
        <source>The engine that makes the pictures is not installed here.</source>
        <translation>此处未安装生成图片的引擎。</translation>
    </message>
    <message>
        <source>Or run the daemon where it is: standee serve.</source>
        <translation>或在已安装处运行后台服务：standee serve。</translation>
    </message>
    <message>
        <source>Installing the engine. This takes some minutes; go on arranging.</source>
        <translation>正在安装引擎，需要几分钟；您可以继续排列。</translation>
    </message>
    <message>
        <source>The engine could not be installed.</source>
        <translation>无法安装引擎。</translation>
    </message>
    <message>
        <source>The log tells why.</source>
        <translation>日志中说明了原因。</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
</context>
<context>
    <name>Errors</name>
    <message>
        <source>Something in the composition is not valid.</source>
        <translation>构图中有无效的内容。</translation>
    </message>
    <message>
        <source>It is too large.</source>
        <translation>尺寸过大。</translation>
    </message>
    <message>
        <source>A picture cannot be used.</source>
        <translation>有图片无法使用。</translation>
    </message>
    <message>
        <source>The document cannot be opened.</source>
        <translation>无法打开文档。</translation>
    </message>
    <message>
        <source>A picture is missing.</source>
        <translation>缺少图片。</translation>
    </message>
    <message>
        <source>The model cannot be used.</source>
        <translation>无法使用该模型。</translation>
    </message>
    <message>
        <source>It is not on this machine, and would have to be downloaded.</source>
        <translation>本机没有它，需要下载。</translation>
    </message>
    <message>
        <source>The download did not succeed.</source>
        <translation>下载未成功。</translation>
    </message>
    <message>
        <source>The daemon has too much to do for you already.</source>
        <translation>后台服务中您的任务已过多。</translation>
    </message>
    <message>
        <source>The memory does not suffice.</source>
        <translation>内存不足。</translation>
    </message>
    <message>
        <source>The job failed.</source>
        <translation>任务失败。</translation>
    </message>
    <message>
        <source>The daemon cannot be reached.</source>
        <translation>无法连接后台服务。</translation>
    </message>
    <message>
        <source>The daemon does not know this editor&apos;s key.</source>
        <translation>后台服务不认识此编辑器的密钥。</translation>
    </message>
    <message>
        <source>Editor and daemon are of different versions.</source>
        <translation>编辑器与后台服务的版本不同。</translation>
    </message>
    <message>
        <source>Something that is needed is not installed.</source>
        <translation>缺少必需的组件。</translation>
    </message>
    <message>
        <source>It was not saved.</source>
        <translation>未能保存。</translation>
    </message>
</context>
<context>
    <name>FileDialogs</name>
    <message>
        <source>Save the changes to “%1”?</source>
        <translation>是否保存对“%1”的更改？</translation>
    </message>
    <message>
        <source>What is not saved is lost.</source>
        <translation>未保存的内容将会丢失。</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Don&apos;t save</source>
        <translation>不保存</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>“%1” is write-protected.</source>
        <translation>“%1”是写保护的。</translation>
    </message>
    <message>
        <source>Someone meant it to stay as it is.</source>
        <translation>有人希望它保持原样。</translation>
    </message>
    <message>
        <source>“%1” was changed by someone else.</source>
        <translation>“%1”已被他人更改。</translation>
    </message>
    <message>
        <source>Another window or program saved it since you opened it here.</source>
        <translation>在此处打开之后，另一个窗口或程序保存过它。</translation>
    </message>
    <message>
        <source>Save a copy…</source>
        <translation>保存副本…</translation>
    </message>
    <message>
        <source>Replace it</source>
        <translation>替换</translation>
    </message>
    <message>
        <source>Jobs of this document that are not done yet: %1.</source>
        <translation>此文档未完成的任务：%1。</translation>
    </message>
    <message>
        <source>Another document cannot take their pictures: they are lost.</source>
        <translation>其他文档无法接收这些图片，它们将会丢失。</translation>
    </message>
    <message>
        <source>Stay here</source>
        <translation>留在此处</translation>
    </message>
    <message>
        <source>Cancel the jobs</source>
        <translation>取消这些任务</translation>
    </message>
</context>
<context>
    <name>Importer</name>
    <message>
        <source>Pasted</source>
        <translation>粘贴的图片</translation>
    </message>
    <message>
        <source>Scene</source>
        <translation>场景</translation>
    </message>
    <message>
        <source>Add a control picture</source>
        <translation>添加控制图</translation>
    </message>
    <message>
        <source>A composition has at most %1 layers.</source>
        <translation>一个作品最多有 %1 个图层。</translation>
    </message>
    <message>
        <source>Layers without pixels, left out: %1.</source>
        <translation>没有像素、已略去的图层：%1。</translation>
    </message>
    <message>
        <source>Without their blend modes, masks or effects: %1.</source>
        <translation>未带入混合模式、蒙版或效果的图层：%1。</translation>
    </message>
    <message>
        <source>Add %1</source>
        <translation>添加 %1</translation>
    </message>
    <message>
        <source>subject</source>
        <translation>主体</translation>
    </message>
</context>
<context>
    <name>JobList</name>
    <message>
        <source>Jobs</source>
        <translation>任务</translation>
    </message>
</context>
<context>
    <name>JobRow</name>
    <message>
        <source>Progress</source>
        <translation>进度</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Without words</source>
        <translation>无提示词</translation>
    </message>
    <message>
        <source>Live: %1</source>
        <translation>实时：%1</translation>
    </message>
    <message>
        <source>Remove from the list</source>
        <translation>从列表中移除</translation>
    </message>
    <message>
        <source>Stop at once</source>
        <translation>立即停止</translation>
    </message>
    <message>
        <source>Stopping once the model is loaded…</source>
        <translation>模型载入后停止…</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>正在停止…</translation>
    </message>
    <message>
        <source>Sending…</source>
        <translation>正在发送…</translation>
    </message>
    <message>
        <source>%1 before it</source>
        <translation>前面还有 %1 个</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>等待中</translation>
    </message>
    <message>
        <source>Seeing what fits into the memory…</source>
        <translation>正在检查内存能容纳的方案…</translation>
    </message>
    <message>
        <source>Loading the model…</source>
        <translation>正在加载模型…</translation>
    </message>
    <message>
        <source>Checking the download…</source>
        <translation>正在校验下载内容…</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>正在开始…</translation>
    </message>
    <message>
        <source>Downloading %1</source>
        <translation>正在下载 %1</translation>
    </message>
    <message>
        <source>Step %1 of %2</source>
        <translation>第 %1 步，共 %2 步</translation>
    </message>
    <message>
        <source>Reading the words…</source>
        <translation>正在读取提示词…</translation>
    </message>
    <message>
        <source>Finishing the picture…</source>
        <translation>正在完成图片…</translation>
    </message>
    <message>
        <source>Reading subject %1 of %2</source>
        <translation>正在读取主体 %1/%2</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>Cancelled</source>
        <translation>已取消</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>完成</translation>
    </message>
</context>
<context>
    <name>Keys</name>
    <message>
        <source>Select what lies beneath</source>
        <translation>选择下方的图层</translation>
    </message>
    <message>
        <source>Ctrl+click</source>
        <translation>Ctrl+单击</translation>
    </message>
    <message>
        <source>Add to the selection</source>
        <translation>加入选择</translation>
    </message>
    <message>
        <source>Shift+click</source>
        <translation>Shift+单击</translation>
    </message>
    <message>
        <source>Move along one axis</source>
        <translation>沿单一方向移动</translation>
    </message>
    <message>
        <source>Shift+drag</source>
        <translation>Shift+拖动</translation>
    </message>
    <message>
        <source>Drag a copy</source>
        <translation>拖出副本</translation>
    </message>
    <message>
        <source>Move without snapping</source>
        <translation>移动时不吸附</translation>
    </message>
    <message>
        <source>Ctrl+drag</source>
        <translation>Ctrl+拖动</translation>
    </message>
    <message>
        <source>Resize freely</source>
        <translation>自由缩放</translation>
    </message>
    <message>
        <source>Shift+drag a corner</source>
        <translation>Shift+拖动角点</translation>
    </message>
    <message>
        <source>Resize from the centre</source>
        <translation>从中心缩放</translation>
    </message>
    <message>
        <source>Turn</source>
        <translation>旋转</translation>
    </message>
    <message>
        <source>Drag a dot outside a corner</source>
        <translation>拖动角外的圆点</translation>
    </message>
    <message>
        <source>Turn by steps of 15°</source>
        <translation>以 15° 为单位旋转</translation>
    </message>
    <message>
        <source>Shift+drag the dot</source>
        <translation>Shift+拖动圆点</translation>
    </message>
    <message>
        <source>One layer of a group</source>
        <translation>组中的单个图层</translation>
    </message>
    <message>
        <source>Click again, Ctrl+click</source>
        <translation>再次单击，或 Ctrl+单击</translation>
    </message>
    <message>
        <source>Move by 1 px, by a token</source>
        <translation>移动 1 像素、一个 token</translation>
    </message>
    <message>
        <source>Arrows, Shift+arrows</source>
        <translation>方向键、Shift+方向键</translation>
    </message>
    <message>
        <source>Change the size</source>
        <translation>改变大小</translation>
    </message>
    <message>
        <source>Alt+drag, Ctrl+Shift+drag</source>
        <translation>Alt+拖动，Ctrl+Shift+拖动</translation>
    </message>
    <message>
        <source>Alt+drag or Ctrl+Shift+drag a handle</source>
        <translation>Alt 或 Ctrl+Shift+拖动控制点</translation>
    </message>
    <message>
        <source>Alt+arrows, Ctrl+Shift+arrows</source>
        <translation>Alt 或 Ctrl+Shift+方向键</translation>
    </message>
    <message>
        <source>Next layer, layer before</source>
        <translation>下一图层、上一图层</translation>
    </message>
    <message>
        <source>Pan</source>
        <translation>平移</translation>
    </message>
    <message>
        <source>Space+drag, middle button</source>
        <translation>空格+拖动、中键</translation>
    </message>
    <message>
        <source>Zoom</source>
        <translation>缩放</translation>
    </message>
    <message>
        <source>Wheel</source>
        <translation>滚轮</translation>
    </message>
    <message>
        <source>Give up a drag, leave a tool</source>
        <translation>放弃拖动、退出工具</translation>
    </message>
    <message>
        <source>Smaller and larger brush</source>
        <translation>缩小、放大画笔</translation>
    </message>
    <message>
        <source>Exchange adding and taking away</source>
        <translation>切换添加与擦除</translation>
    </message>
    <message>
        <source>Take away while the brush adds</source>
        <translation>画笔添加时临时减去</translation>
    </message>
    <message>
        <source>Alt or Ctrl+drag</source>
        <translation>Alt 或 Ctrl+拖动</translation>
    </message>
    <message>
        <source>A straight line of the brush</source>
        <translation>用画笔画直线</translation>
    </message>
</context>
<context>
    <name>LayerDelegate</name>
    <message>
        <source>Layer name</source>
        <translation>图层名称</translation>
    </message>
</context>
<context>
    <name>LayerList</name>
    <message>
        <source>Layers, the foremost first</source>
        <translation>图层，最前面的在上</translation>
    </message>
    <message>
        <source>Hide</source>
        <translation>隐藏</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>显示</translation>
    </message>
    <message>
        <source>Unlock</source>
        <translation>解锁</translation>
    </message>
    <message>
        <source>Lock</source>
        <translation>锁定</translation>
    </message>
    <message>
        <source>Reorder</source>
        <translation>调整顺序</translation>
    </message>
</context>
<context>
    <name>LayerModel</name>
    <message>
        <source>Unnamed</source>
        <translation>未命名</translation>
    </message>
    <message>
        <source>hidden</source>
        <translation>已隐藏</translation>
    </message>
    <message>
        <source>locked</source>
        <translation>已锁定</translation>
    </message>
    <message>
        <source>in a group</source>
        <translation>已编组</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>重命名</translation>
    </message>
    <message>
        <source>Reorder</source>
        <translation>调整顺序</translation>
    </message>
</context>
<context>
    <name>LayerSettings</name>
    <message>
        <source>Layer settings</source>
        <translation>图层设置</translation>
    </message>
    <message>
        <source>Select a layer to set it.</source>
        <translation>选择一个图层以设置它。</translation>
    </message>
    <message>
        <source>What it is, e.g. a white cat</source>
        <translation>它是什么，例如：一只白猫</translation>
    </message>
    <message>
        <source>Prompt words</source>
        <translation>提示词</translation>
    </message>
    <message>
        <source>Words</source>
        <translation>描述</translation>
    </message>
    <message>
        <source>Fidelity</source>
        <translation>保真度</translation>
    </message>
    <message>
        <source>From free (0: the model only sees it, its pose may change) to exact (100 %: look, place and pose are kept)</source>
        <translation>从自由（0：模型只是看到它，姿势可以改变）到精确（100 %：保持外观、位置和姿势）</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>光线</translation>
    </message>
    <message>
        <source>From its own (0) to the scene&apos;s (100 %): whose light and colour fall on it</source>
        <translation>从自身的光（0）到场景的光（100 %）：由谁的光线和色彩照在它上面</translation>
    </message>
    <message>
        <source>Variation</source>
        <translation>变化</translation>
    </message>
    <message>
        <source>How freely its pose and shape may differ from its picture</source>
        <translation>姿态和形状可偏离图片的自由程度</translation>
    </message>
    <message>
        <source>Sharing</source>
        <translation>共享</translation>
    </message>
    <message>
        <source>How much late steps look at the subject for its finer details</source>
        <translation>后期步骤为细节参考主体的程度</translation>
    </message>
    <message>
        <source>Opacity</source>
        <translation>不透明度</translation>
    </message>
    <message>
        <source>From not there (0) to solid (100 %): how much of what is behind it shows</source>
        <translation>从不存在（0）到完全不透明（100 %）：背后的内容透出多少</translation>
    </message>
    <message>
        <source>Fit</source>
        <translation>适应方式</translation>
    </message>
    <message>
        <source>Show all of it</source>
        <translation>完整显示</translation>
    </message>
    <message>
        <source>Fill the rectangle</source>
        <translation>填满矩形</translation>
    </message>
    <message>
        <source>Stretch</source>
        <translation>拉伸</translation>
    </message>
    <message>
        <source>Mirrored</source>
        <translation>镜像</translation>
    </message>
    <message>
        <source>Flip</source>
        <translation>水平翻转</translation>
    </message>
    <message>
        <source>Rotation</source>
        <translation>旋转</translation>
    </message>
    <message>
        <source>Rotation, degrees clockwise</source>
        <translation>旋转，顺时针度数</translation>
    </message>
    <message>
        <source>Turn</source>
        <translation>旋转</translation>
    </message>
    <message>
        <source>X</source>
        <translation>X</translation>
    </message>
    <message>
        <source>Left edge, px</source>
        <translation>左边缘（像素）</translation>
    </message>
    <message>
        <source>Y</source>
        <translation>Y</translation>
    </message>
    <message>
        <source>Top edge, px</source>
        <translation>上边缘（像素）</translation>
    </message>
    <message>
        <source>W</source>
        <translation>宽</translation>
    </message>
    <message>
        <source>Width, px</source>
        <translation>宽度（像素）</translation>
    </message>
    <message>
        <source>H</source>
        <translation>高</translation>
    </message>
    <message>
        <source>Height, px</source>
        <translation>高度（像素）</translation>
    </message>
    <message>
        <source>What shall be here, e.g. a red boat</source>
        <translation>这里应有什么，例如一艘红色的船</translation>
    </message>
    <message numerus="yes">
        <source>%n token(s) of its own</source>
        <translation>
            <numerusform>占有 %n 个 token</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n hidden</source>
        <translation>
            <numerusform>%n 个被遮挡</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n off the canvas</source>
        <translation>
            <numerusform>%n 个在画布外</numerusform>
        </translation>
    </message>
    <message>
        <source>Resize</source>
        <translation>调整大小</translation>
    </message>
    <message>
        <source>Move</source>
        <translation>移动</translation>
    </message>
</context>
<context>
    <name>LayersPanel</name>
    <message>
        <source>Layers</source>
        <translation>图层</translation>
    </message>
    <message>
        <source>Drop pictures on the canvas,
or add a subject below.</source>
        <translation>将图片拖到画布上，
或在下方添加主体。</translation>
    </message>
</context>
<context>
    <name>LibraryPanel</name>
    <message>
        <source>Keep selected</source>
        <translation>收藏所选</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Subjects of the library</source>
        <translation>库中的主体</translation>
    </message>
    <message>
        <source>Drag onto the canvas; F2 renames</source>
        <translation>拖到画布上；按 F2 重命名</translation>
    </message>
    <message>
        <source>Find</source>
        <translation>查找</translation>
    </message>
    <message>
        <source>Select a layer and keep it: it is at hand in every scene then.</source>
        <translation>选择图层并收藏，之后在任何场景中都可使用。</translation>
    </message>
    <message>
        <source>Unnamed</source>
        <translation>未命名</translation>
    </message>
</context>
<context>
    <name>LoraList</name>
    <message>
        <source>LoRAs</source>
        <translation>LoRA</translation>
    </message>
    <message>
        <source>Add a LoRA</source>
        <translation>添加 LoRA</translation>
    </message>
    <message>
        <source>File, folder or hub id</source>
        <translation>文件、文件夹或 hub 名称</translation>
    </message>
    <message>
        <source>A LoRA lays a style or a thing over the model. Press Enter to add it</source>
        <translation>LoRA 为模型叠加一种风格或事物。按回车键添加</translation>
    </message>
    <message>
        <source>Choose a LoRA…</source>
        <translation>选择 LoRA…</translation>
    </message>
    <message>
        <source>LoRAs (*.safetensors)</source>
        <translation>LoRA (*.safetensors)</translation>
    </message>
    <message>
        <source>Choose a LoRA</source>
        <translation>选择 LoRA</translation>
    </message>
</context>
<context>
    <name>LoraRow</name>
    <message>
        <source>Weight of %1</source>
        <translation>%1 的权重</translation>
    </message>
    <message>
        <source>How much the LoRA counts: 1 as it was trained</source>
        <translation>LoRA 的作用程度：1 为训练时的强度</translation>
    </message>
    <message>
        <source>Remove the LoRA</source>
        <translation>移除 LoRA</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>History</source>
        <translation>历史记录</translation>
    </message>
    <message>
        <source>As it was opened</source>
        <translation>打开时的状态</translation>
    </message>
    <message>
        <source>Untitled</source>
        <translation>未命名</translation>
    </message>
</context>
<context>
    <name>MaskBrush</name>
    <message>
        <source>Select a subject to paint on, one that is not locked.</source>
        <translation>请先选择要绘制的主体，且未锁定。</translation>
    </message>
    <message>
        <source>Choose a picture as the scene to paint on first.</source>
        <translation>请先选择一张图片作为要绘制的场景。</translation>
    </message>
    <message>
        <source>Paint the cut-out</source>
        <translation>绘制抠图</translation>
    </message>
    <message>
        <source>Paint the kept region</source>
        <translation>绘制保留区域</translation>
    </message>
</context>
<context>
    <name>Menus</name>
    <message>
        <source>&amp;File</source>
        <translation>文件(&amp;F)</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>编辑(&amp;E)</translation>
    </message>
    <message>
        <source>&amp;Layer</source>
        <translation>图层(&amp;L)</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>视图(&amp;V)</translation>
    </message>
    <message>
        <source>&amp;Compose</source>
        <translation>合成(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>帮助(&amp;H)</translation>
    </message>
    <message>
        <source>Open &amp;recent</source>
        <translation>打开最近的文档(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Align</source>
        <translation>对齐(&amp;A)</translation>
    </message>
    <message>
        <source>&amp;Snapping</source>
        <translation>吸附(&amp;S)</translation>
    </message>
    <message>
        <source>&amp;Panels</source>
        <translation>面板(&amp;P)</translation>
    </message>
    <message>
        <source>T&amp;heme</source>
        <translation>主题(&amp;H)</translation>
    </message>
    <message>
        <source>Main tools</source>
        <translation>主工具栏</translation>
    </message>
    <message>
        <source>Align and distribute</source>
        <translation>对齐与分布</translation>
    </message>
    <message>
        <source>Snapping</source>
        <translation>吸附</translation>
    </message>
    <message>
        <source>Canvas tools</source>
        <translation>画布工具</translation>
    </message>
</context>
<context>
    <name>ModelCombo</name>
    <message>
        <source>Not on this machine yet</source>
        <translation>尚不在本机上</translation>
    </message>
    <message>
        <source>A folder…</source>
        <translation>文件夹…</translation>
    </message>
    <message>
        <source>A name on the hub…</source>
        <translation>Hub 上的名称…</translation>
    </message>
    <message>
        <source>A model in diffusers layout</source>
        <translation>diffusers 格式的模型</translation>
    </message>
    <message>
        <source>A model on the hub</source>
        <translation>Hub 上的模型</translation>
    </message>
    <message>
        <source>Its name on huggingface.co. It is downloaded when it is used first.</source>
        <translation>模型在 huggingface.co 上的名称。首次使用时会下载。</translation>
    </message>
</context>
<context>
    <name>ModelList</name>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>The one that comes along composes at once. Larger ones draw better; each is downloaded once.</source>
        <translation>自带的模型马上就能合成。更大的模型画得更好，每个只需下载一次。</translation>
    </message>
    <message>
        <source>Without a GPU they take minutes for each step.</source>
        <translation>没有 GPU 时，它们每一步要几分钟。</translation>
    </message>
    <message>
        <source>Show fewer</source>
        <translation>收起</translation>
    </message>
    <message numerus="yes">
        <source>Show all %n model(s)</source>
        <translation>
            <numerusform>显示全部 %n 个模型</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ModelRow</name>
    <message>
        <source>Not now</source>
        <translation>以后再说</translation>
    </message>
    <message>
        <source>Comes along</source>
        <translation>自带</translation>
    </message>
    <message>
        <source>On this machine</source>
        <translation>已在本机</translation>
    </message>
    <message>
        <source>Too large for this machine</source>
        <translation>超出本机的内存</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Use it</source>
        <translation>使用</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>下载</translation>
    </message>
    <message>
        <source>Download…</source>
        <translation>下载…</translation>
    </message>
    <message>
        <source>Asking the hub…</source>
        <translation>正在询问模型库…</translation>
    </message>
    <message>
        <source>%1 of weights</source>
        <translation>权重 %1</translation>
    </message>
    <message>
        <source>takes about %1 of %2</source>
        <translation>约占 %2 中的 %1</translation>
    </message>
    <message>
        <source>about %1 a picture, measured here</source>
        <translation>每张约 %1（本机实测）</translation>
    </message>
    <message>
        <source>slow: its weights come block by block</source>
        <translation>较慢：权重逐块调入</translation>
    </message>
    <message>
        <source>%1 to download, under the licence %2.</source>
        <translation>需下载 %1，许可证：%2。</translation>
    </message>
    <message>
        <source>not named</source>
        <translation>未注明</translation>
    </message>
    <message>
        <source>It has to be accepted on its page first.</source>
        <translation>需先在其页面上接受许可证。</translation>
    </message>
</context>
<context>
    <name>Models</name>
    <message>
        <source>The small model that comes along: 3D figures on painted backgrounds, 256 to 512 px, runs without a GPU.</source>
        <translation>自带的小模型：手绘背景上的 3D 形象，256 至 512 像素，无需 GPU。</translation>
    </message>
    <message>
        <source>FLUX.1 dev: the best fidelity to subjects.</source>
        <translation>FLUX.1 dev：对主体还原得最好。</translation>
    </message>
    <message>
        <source>FLUX.1 schnell: four steps, for quick drafts.</source>
        <translation>FLUX.1 schnell：四步，适合快速草图。</translation>
    </message>
    <message>
        <source>FLUX.1 Krea: photographic, less glossy than dev.</source>
        <translation>FLUX.1 Krea：照片风格，比 dev 少些油亮感。</translation>
    </message>
    <message>
        <source>FLUX.1 Kontext: takes reference pictures.</source>
        <translation>FLUX.1 Kontext：可用参考图。</translation>
    </message>
    <message>
        <source>FLUX.1 Depth: follows a picture of depth.</source>
        <translation>FLUX.1 Depth：跟随深度图。</translation>
    </message>
    <message>
        <source>FLUX.1 Canny: follows a picture of lines.</source>
        <translation>FLUX.1 Canny：跟随线稿图。</translation>
    </message>
    <message>
        <source>FLUX.2 dev: the largest, takes reference pictures.</source>
        <translation>FLUX.2 dev：最大，可用参考图。</translation>
    </message>
    <message>
        <source>FLUX.2 klein 4B: four steps, small.</source>
        <translation>FLUX.2 klein 4B：四步，小巧。</translation>
    </message>
    <message>
        <source>FLUX.2 klein 9B: four steps.</source>
        <translation>FLUX.2 klein 9B：四步。</translation>
    </message>
    <message>
        <source>FLUX.2 klein base 4B: not distilled, more varied.</source>
        <translation>FLUX.2 klein base 4B：未经蒸馏，变化更多。</translation>
    </message>
    <message>
        <source>FLUX.2 klein base 9B: not distilled, more varied.</source>
        <translation>FLUX.2 klein base 9B：未经蒸馏，变化更多。</translation>
    </message>
    <message>
        <source>Z-Image: not distilled, more varied.</source>
        <translation>Z-Image：未经蒸馏，变化更多。</translation>
    </message>
    <message>
        <source>Z-Image-Turbo: eight steps, photographic.</source>
        <translation>Z-Image-Turbo：八步，照片风格。</translation>
    </message>
    <message>
        <source>Krea 2 Turbo: eight steps, for looks and style.</source>
        <translation>Krea 2 Turbo：八步，擅长画风。</translation>
    </message>
    <message>
        <source>Krea 2 Raw: not distilled, more varied.</source>
        <translation>Krea 2 Raw：未经蒸馏，变化更多。</translation>
    </message>
    <message>
        <source>Qwen-Image of December 2025: large, follows long prompts, writes text.</source>
        <translation>2025 年 12 月的 Qwen-Image：大型，能遵循长提示词，能写字。</translation>
    </message>
    <message>
        <source>Qwen-Image-Edit of November 2025: takes reference pictures.</source>
        <translation>2025 年 11 月的 Qwen-Image-Edit：可用参考图。</translation>
    </message>
</context>
<context>
    <name>Notes</name>
    <message>
        <source>Memory: preset {preset}: {meaning}; about {need} of {room}.</source>
        <translation>内存：预设“{preset}”：{meaning}；约需 {need}，可用 {room}。</translation>
    </message>
    <message>
        <source>Too little memory with preset {failed}; going on with preset {preset}: {meaning}.</source>
        <translation>预设“{failed}”内存不足；改用预设“{preset}”继续：{meaning}。</translation>
    </message>
    <message>
        <source>“{name}” is not in the picture: {why}.</source>
        <translation>“{name}”不在画面中：{why}。</translation>
    </message>
    <message>
        <source>The model reads {limit} tokens; what follows in “{start}…” was cut off.</source>
        <translation>模型只读取 {limit} 个词元；“{start}…”之后的内容已被截去。</translation>
    </message>
    <message>
        <source>The scene of {width} x {height} px is drawn in {across} x {down} px; what is kept of it is kept as drawn.</source>
        <translation>{width} x {height} 像素的场景以 {across} x {down} 像素绘制；保留的部分按绘制后的像素保留。</translation>
    </message>
    <message>
        <source>{model} is the copy that was downloaded earlier (commit {commit}).</source>
        <translation>{model} 使用的是之前下载的副本（提交 {commit}）。</translation>
    </message>
    <message>
        <source>Of the LoRA {file} {count} layers were left out: {part}.</source>
        <translation>LoRA {file} 有 {count} 层未能加载：{part}。</translation>
    </message>
    <message>
        <source>The LoRA {file} does not say how strong it is; set its weight by eye.</source>
        <translation>LoRA {file} 没有说明其强度；请凭效果设置权重。</translation>
    </message>
    <message>
        <source>its cut-out is empty</source>
        <translation>其抠图为空</translation>
    </message>
    <message>
        <source>it lies off the canvas</source>
        <translation>它在画布之外</translation>
    </message>
    <message>
        <source>others hide all of it</source>
        <translation>它被其他图层完全遮住</translation>
    </message>
    <message>
        <source>they change a text encoder that this model does not have</source>
        <translation>它们修改的是此模型没有的文本编码器</translation>
    </message>
    <message>
        <source>they change norms or embeddings, which LoRAs cannot be laid over here</source>
        <translation>它们修改的是归一化或嵌入，这里无法加载</translation>
    </message>
    <message>
        <source>weights in {size}, {kept}</source>
        <translation>权重 {size}，{kept}</translation>
    </message>
    <message>
        <source>weights in {size}, text encoder in {text}, {kept}</source>
        <translation>权重 {size}，文本编码器 {text}，{kept}</translation>
    </message>
    <message>
        <source>16 bits</source>
        <translation>16 位</translation>
    </message>
    <message>
        <source>32 bits</source>
        <translation>32 位</translation>
    </message>
    <message>
        <source>8 bits</source>
        <translation>8 位</translation>
    </message>
    <message>
        <source>8 bits (fp8)</source>
        <translation>8 位（fp8）</translation>
    </message>
    <message>
        <source>8 bits (int8)</source>
        <translation>8 位（int8）</translation>
    </message>
    <message>
        <source>4 bits</source>
        <translation>4 位</translation>
    </message>
    <message>
        <source>all of it on the device</source>
        <translation>全部在设备上</translation>
    </message>
    <message>
        <source>text encoders only while they encode</source>
        <translation>文本编码器仅在编码时在设备上</translation>
    </message>
    <message>
        <source>one model on the device at a time</source>
        <translation>设备上一次只放一个模型</translation>
    </message>
    <message>
        <source>one block on the device at a time</source>
        <translation>设备上一次只放一个块</translation>
    </message>
</context>
<context>
    <name>NoticeBar</name>
    <message>
        <source>Install the engine</source>
        <translation>安装引擎</translation>
    </message>
    <message>
        <source>Start the daemon</source>
        <translation>启动后台服务</translation>
    </message>
    <message>
        <source>Restart the daemon</source>
        <translation>重启后台服务</translation>
    </message>
    <message>
        <source>Use the bundled model</source>
        <translation>使用内置模型</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>Save elsewhere…</source>
        <translation>保存到别处…</translation>
    </message>
    <message>
        <source>Open the folder</source>
        <translation>打开文件夹</translation>
    </message>
    <message>
        <source>Open the log</source>
        <translation>打开日志</translation>
    </message>
    <message>
        <source>Recover</source>
        <translation>恢复</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>丢弃</translation>
    </message>
    <message>
        <source>Download</source>
        <translation>下载</translation>
    </message>
    <message>
        <source>Open the page</source>
        <translation>打开页面</translation>
    </message>
    <message>
        <source>Scale the canvas</source>
        <translation>缩放画布</translation>
    </message>
    <message>
        <source>Fit the canvas</source>
        <translation>使画布适合</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Notices</source>
        <translation>通知</translation>
    </message>
</context>
<context>
    <name>NoticeRow</name>
    <message>
        <source>Dismiss</source>
        <translation>关闭</translation>
    </message>
</context>
<context>
    <name>Preferences</name>
    <message>
        <source>About Standee</source>
        <translation>关于 Standee</translation>
    </message>
    <message>
        <source>Stand your subjects in a scene: layered, identity-preserving picture composition without training.</source>
        <translation>让主体立于场景之中：分层、保持主体特征、无需训练的图片合成。</translation>
    </message>
</context>
<context>
    <name>ResultsPanel</name>
    <message>
        <source>Compare</source>
        <translation>对比</translation>
    </message>
    <message>
        <source>Apply</source>
        <translation>应用</translation>
    </message>
    <message>
        <source>Use settings</source>
        <translation>使用其设置</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>导出…</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>丢弃</translation>
    </message>
    <message>
        <source>Grid…</source>
        <translation>网格…</translation>
    </message>
    <message>
        <source>More</source>
        <translation>更多</translation>
    </message>
    <message>
        <source>Results</source>
        <translation>结果</translation>
    </message>
    <message>
        <source>Results appear here. They never get in the way of the canvas.</source>
        <translation>结果会显示在这里，不会妨碍画布。</translation>
    </message>
    <message>
        <source>Drag a line between the arrangement and the result, or between two selected results</source>
        <translation>在布置与结果之间，或在选中的两个结果之间拖动分界线</translation>
    </message>
    <message>
        <source>Drop the selected results</source>
        <translation>丢弃选中的结果</translation>
    </message>
    <message>
        <source>Seed %1, collage</source>
        <translation>种子 %1,拼贴</translation>
    </message>
    <message>
        <source>Add as a subject</source>
        <translation>添加为主体</translation>
    </message>
    <message>
        <source>Make the result the scene, to go on from it</source>
        <translation>将结果设为场景，在其上继续</translation>
    </message>
    <message>
        <source>Bring back the arrangement and the settings that made it</source>
        <translation>恢复生成它的排列与设置</translation>
    </message>
    <message>
        <source>Save the picture, with the receipt that makes it again</source>
        <translation>保存图片及可重新生成它的凭据</translation>
    </message>
    <message>
        <source>See all results side by side; keep or discard each by one key</source>
        <translation>并排查看所有结果；用一个按键保留或丢弃</translation>
    </message>
    <message>
        <source>Live</source>
        <translation>实时</translation>
    </message>
    <message>
        <source>Seed %1</source>
        <translation>种子 %1</translation>
    </message>
</context>
<context>
    <name>Ruler</name>
    <message>
        <source>Horizontal ruler</source>
        <translation>水平标尺</translation>
    </message>
    <message>
        <source>Vertical ruler</source>
        <translation>垂直标尺</translation>
    </message>
    <message>
        <source>Drag into the canvas to add a guide</source>
        <translation>拖到画布中以添加参考线</translation>
    </message>
</context>
<context>
    <name>ScenePanel</name>
    <message>
        <source>Choose a picture…</source>
        <translation>选择图片…</translation>
    </message>
    <message>
        <source>No scene</source>
        <translation>无场景</translation>
    </message>
    <message>
        <source>Paint what changes</source>
        <translation>绘制要改变的部分</translation>
    </message>
    <message>
        <source>Extend the canvas</source>
        <translation>扩展画布</translation>
    </message>
    <message>
        <source>Keep all of it</source>
        <translation>全部保留</translation>
    </message>
    <message>
        <source>Show the kept region</source>
        <translation>显示保留区域</translation>
    </message>
    <message>
        <source>Remove the scene</source>
        <translation>移除场景</translation>
    </message>
    <message>
        <source>Keep all</source>
        <translation>全部保留</translation>
    </message>
    <message>
        <source>Fit of the scene</source>
        <translation>场景的适应方式</translation>
    </message>
    <message>
        <source>Fidelity of the scene</source>
        <translation>场景的保真度</translation>
    </message>
    <message>
        <source>Blend</source>
        <translation>融合</translation>
    </message>
    <message>
        <source>Feather</source>
        <translation>羽化</translation>
    </message>
    <message>
        <source>Cover</source>
        <translation>覆盖</translation>
    </message>
    <message>
        <source>Contain</source>
        <translation>包含</translation>
    </message>
    <message>
        <source>Stretch</source>
        <translation>拉伸</translation>
    </message>
    <message>
        <source>Fit</source>
        <translation>适应方式</translation>
    </message>
    <message>
        <source>How the picture fills its place</source>
        <translation>图片填充其位置的方式</translation>
    </message>
    <message>
        <source>Fidelity</source>
        <translation>保真度</translation>
    </message>
    <message>
        <source>How long the kept part guides what is made beside it</source>
        <translation>保留部分引导周边生成的时长</translation>
    </message>
    <message>
        <source>So far around each subject the scene may change: its shadow, its light</source>
        <translation>每个主体周围场景可改变的范围：阴影与光线</translation>
    </message>
    <message>
        <source>How softly what is new passes into what is kept</source>
        <translation>新旧内容之间过渡的柔和程度</translation>
    </message>
    <message>
        <source>Picture of the scene</source>
        <translation>场景图片</translation>
    </message>
    <message>
        <source>Kept pixels stay exactly as they are. Without a scene all is generated.</source>
        <translation>保留的像素完全不变。没有场景时，整幅画面都会生成。</translation>
    </message>
    <message>
        <source>Control pictures</source>
        <translation>控制图</translation>
    </message>
    <message>
        <source>Drop a picture</source>
        <translation>拖入图片</translation>
    </message>
</context>
<context>
    <name>ScreenColours</name>
    <message>
        <source>Colour profiles (%1)</source>
        <translation>色彩配置文件 (%1)</translation>
    </message>
    <message>
        <source>A screen&apos;s colour profile</source>
        <translation>屏幕色彩配置文件</translation>
    </message>
</context>
<context>
    <name>SeedField</name>
    <message>
        <source>Random</source>
        <translation>随机</translation>
    </message>
</context>
<context>
    <name>ShortcutsDialog</name>
    <message>
        <source>Keyboard and mouse</source>
        <translation>键盘与鼠标</translation>
    </message>
    <message>
        <source>Find</source>
        <translation>查找</translation>
    </message>
    <message>
        <source>Canvas</source>
        <translation>画布</translation>
    </message>
</context>
<context>
    <name>StatusBar</name>
    <message>
        <source>Zoom</source>
        <translation>缩放</translation>
    </message>
    <message>
        <source>Unnamed</source>
        <translation>未命名</translation>
    </message>
    <message numerus="yes">
        <source>%n layers selected</source>
        <translation>
            <numerusform>已选择 %n 个图层</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n layer(s)</source>
        <translation>
            <numerusform>%n 个图层</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>VariationsGrid</name>
    <message>
        <source>Keep  (K)</source>
        <translation>保留 (K)</translation>
    </message>
    <message>
        <source>Discard  (D)</source>
        <translation>丢弃 (D)</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>完成</translation>
    </message>
    <message>
        <source>Variations</source>
        <translation>变体</translation>
    </message>
    <message>
        <source>Arrows go from one to the next. Enter shows it on the canvas; undo works.</source>
        <translation>方向键切换；回车键在画布上显示；可以撤销。</translation>
    </message>
</context>
<context>
    <name>WelcomePage</name>
    <message>
        <source>Welcome</source>
        <translation>欢迎</translation>
    </message>
    <message>
        <source>Stand your subjects in a scene</source>
        <translation>让主体立于场景之中</translation>
    </message>
    <message>
        <source>Place pictures of a cat, a mug, a robot as layers. Standee composes one coherent picture on your own machine, in which each keeps its identity and its place.</source>
        <translation>把猫、杯子、机器人的图片放成图层。Standee 在您自己的电脑上合成一幅和谐的画面，其中每个主体都保持自己的样貌与位置。</translation>
    </message>
    <message>
        <source>Open the sample scene</source>
        <translation>打开示例场景</translation>
    </message>
    <message>
        <source>This installation comes without the sample scene.</source>
        <translation>此安装不含示例场景。</translation>
    </message>
    <message>
        <source>Back to the document</source>
        <translation>返回文档</translation>
    </message>
    <message>
        <source>Empty canvas</source>
        <translation>空白画布</translation>
    </message>
    <message>
        <source>Open a document…</source>
        <translation>打开文档…</translation>
    </message>
    <message>
        <source>Recent</source>
        <translation>最近</translation>
    </message>
    <message>
        <source>Or drop pictures anywhere in this window.</source>
        <translation>也可以把图片拖到此窗口的任意位置。</translation>
    </message>
</context>
<context>
    <name>WordsTool</name>
    <message>
        <source>What shall be here, e.g. a red boat</source>
        <translation>这里应有什么，例如一艘红色的船</translation>
    </message>
    <message>
        <source>Words of the rectangle</source>
        <translation>矩形的文字</translation>
    </message>
    <message>
        <source>A composition has at most %1 layers.</source>
        <translation>一个作品最多有 %1 个图层。</translation>
    </message>
    <message>
        <source>Rectangle of words</source>
        <translation>文字矩形</translation>
    </message>
    <message>
        <source>A rectangle of words has no picture to cut out. Paint its region with the brush.</source>
        <translation>文字矩形没有可抠的图片。请用画笔绘制它的区域。</translation>
    </message>
</context>
<context>
    <name>model</name>
    <message>
        <source>Unnamed</source>
        <translation>未命名</translation>
    </message>
</context>
</TS>
