"""What the look at an instance's files prints inside a pod."""


def instance_files(state: str, *, marked: str = "no", redo: str = "0/1", server: bool = True) -> str:
    lines = [
        f"standby.signal: {marked}",
        *(["postmaster.pid: yes"] if server else []),
        f"Database cluster state:    {state}",
        f"Latest checkpoint's REDO location:  {redo}",
    ]
    return "".join(f"{line}\n" for line in lines)
