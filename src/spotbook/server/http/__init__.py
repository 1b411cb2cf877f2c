"""HTTP: uvicorn's server and protocol, with bounds on what a client may hold open.

`connection` bounds a request, `turn` gathers what arrives and leaves in one turn of the event loop, `wire` is the
connection of the wire API, made of both, `acceptor` lets connections in, and `listener` serves on a socket.
"""
