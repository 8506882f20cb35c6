"""What an operator has to be woken for, as figures for Prometheus: asked of a pair again and again, served over HTTP.

`registry.py` has every metric; a file of `sources/` asks one thing of a pair and turns the answer into samples;
`collecting.py` asks all of them, each at its own pace and within its own bound; `serving.py` answers scrapes from what
was heard last. What does not answer has no samples: they disappear with the first question that fails, and
`shopsphere_source_up` says 0.

A new figure is an entry in `registry.py`. A new source is a file in `sources/`, in the list of its `__init__.py`.
"""
