"""Running: pictures in, files and a manifest out."""
