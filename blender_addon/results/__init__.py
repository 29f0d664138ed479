"""Results: stored with the scene, and shown."""
