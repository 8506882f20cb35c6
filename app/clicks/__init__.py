"""The collector of clicks: takes what browsers of people who agreed tell about their visit, and gives it to Kafka.

A batch of a browser is one POST. It is answered with 204 only after the brokers have acknowledged it, and with 503 when
they did not: the browser then keeps it and sends the same batch, under the same number, again.
"""
