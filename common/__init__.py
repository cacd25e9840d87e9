"""The domain: speech in, patches, networks, training, scores. Knows neither Flower nor Ray, server nor client."""
