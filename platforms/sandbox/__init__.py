"""A stand-in for LinkedIn and Google on loopback. It must never import an adapter."""
