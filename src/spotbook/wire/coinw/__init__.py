"""CoinW's dialect: form, signature, envelope, codes, and one file a command. Nothing outside speaks it."""
