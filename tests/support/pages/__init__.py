"""Commands and pictures for the tests of the documentation's pages."""
