"""Loading of pipelines and quantization of their weights."""
