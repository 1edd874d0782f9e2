"""The systems that hold the company's data, each in the format that its kind speaks."""
