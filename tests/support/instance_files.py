"""What the look at an instance's files prints inside a pod."""


def instance_files(state: str, *, marked: str = "no", redo: str = "0/1") -> str:
    return f"standby.signal: {marked}\nDatabase cluster state:    {state}\nLatest checkpoint's REDO location:  {redo}\n"
