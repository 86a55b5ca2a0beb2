"""SIO-EV-02: events that ask for an acknowledgement, by ids of 31, of 32 and of 53 bits."""
from raw import connected, judge

wrong = []
client = connected()
for number in [2**31 - 1, 2**31, 2**53 - 1]:
    client.send(f'42{number}["message-with-ack","hello"]')
    answer = client.until("hello")
    if answer is None or not answer.startswith(f"43{number}["):
        wrong.append(f"{number} by {answer}")
judge(not wrong, "each is acknowledged by its id", "it acknowledges " + ", and ".join(wrong))
