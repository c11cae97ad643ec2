"""The page: review, approve, push. Server-rendered, bundled, offline; it decides nothing by itself."""
