"""The models that can be used: names, folders, downloads, LoRAs, defaults of sampling."""
