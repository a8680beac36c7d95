"""What touches the world: the disk, the configuration, the tracking store, the deliveries."""
