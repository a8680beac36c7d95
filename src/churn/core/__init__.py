"""What the project exists for, as pure functions: tables or arrays in, tables or arrays out."""
