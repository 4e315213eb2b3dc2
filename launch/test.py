import sys


def main(arguments: list[str]) -> None:
    print(arguments)
