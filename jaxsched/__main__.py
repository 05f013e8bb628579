"""`python -m jaxsched` is the command `jaxsched`."""

from jaxsched.command_line import main

if __name__ == "__main__":
    main()
