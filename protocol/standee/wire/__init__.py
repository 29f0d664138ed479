"""The protocol without sockets: messages, events, encoding, session state."""
