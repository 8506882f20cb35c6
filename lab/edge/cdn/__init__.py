"""The CDN's configuration API: distributions in, a loaded and kept Varnish configuration out."""
