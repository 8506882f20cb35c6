"""Pictures of every product, drawn as SVG from parameters, and the files that the CDN carries."""
