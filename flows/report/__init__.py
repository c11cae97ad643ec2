"""The top-100 impression-share report: page model, words, charts, one HTML file. Data in, text out."""
