"""Ready-made negative segments that ship with the package, as commented YAML to copy from.

Hands out text; it never changes anybody's file.
"""

from __future__ import annotations

from importlib.resources import files

from audiences.errors import ConfigError


def recipe_names() -> tuple[str, ...]:
    """Names of the recipes, sorted."""
    folder = files("audiences") / "recipes"
    return tuple(
        sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml"))
    )


def recipe(name: str) -> str:
    """The commented YAML of one recipe. Raises ConfigError for a name there is not."""
    if name not in recipe_names():
        raise ConfigError("There is no such recipe.", remedy=f"Use one of: {', '.join(recipe_names())}.")
    return (files("audiences") / "recipes" / f"{name}.yaml").read_text(encoding="utf-8")
