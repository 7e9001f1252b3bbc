"""`schema_kit report`: how a database does, as one page of HTML.

`observe` reads catalog, statistics and our own tables; `growth`, `forecast` and `outlook` work out what that means, and
`document`, `sections`, `pictures`, `svg` and `html` draw it: all of these are pure.
"""
