//! The program as its user meets it: a child process, and servers good and bad in front of it.

mod agents;
mod answers;
mod brokers;
mod capacity;
mod causes;
mod compare;
mod conform;
mod conform_servers;
mod conform_slow;
mod deaths;
mod exit_codes;
mod formats;
mod hostile;
mod imports;
mod interrupted;
mod links;
mod load;
mod metrics;
mod nodes;
mod options;
mod output;
mod overrides;
#[path = "../support/peers.rs"]
mod peers;
mod prometheus;
mod proxies;
mod secrets;
mod services;
mod support;
mod tls;
mod transports;
mod trend;
mod unanswered;
mod ways_in;
mod written;
