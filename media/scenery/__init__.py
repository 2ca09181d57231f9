"""The built-in local generator: a prompt or a picture becomes a short film with sound, drawn with numpy and Pillow.

Reading order: ``words`` (what a prompt names) → ``director`` (which scene that becomes) → the painters (``sky``, ``land``, ``water``,
``city``, ``figures`` …) → ``film`` (frames and sound into one MP4). A scene is a pure function of time: all chance is drawn at set-up.
"""
