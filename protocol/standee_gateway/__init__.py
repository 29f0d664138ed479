"""The gateway: the daemon by HTTP and MCP, for programs that speak neither ZeroMQ nor Python."""
