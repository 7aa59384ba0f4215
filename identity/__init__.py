"""The domain of Onefold. It knows nothing of HTTP, settings or the environment."""
