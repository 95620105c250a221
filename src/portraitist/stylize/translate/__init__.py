"""Translation between photos and a style without pairs: U-GAT-IT, in a light configuration."""
