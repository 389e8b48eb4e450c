"""What devices say, byte for byte: one module a family, written from the makers' documents."""
