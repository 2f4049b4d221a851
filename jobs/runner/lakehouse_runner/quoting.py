"""How names are written on Spark."""


def quoted(*names: str) -> str:
    """Quote a name for Spark SQL, or the names that lead to it, divided by dots."""
    return ".".join("`" + name.replace("`", "``") + "`" for name in names)
