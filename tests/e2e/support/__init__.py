"""What the end-to-end tests stand on: a server, the source database, the program, and other people's readers."""
