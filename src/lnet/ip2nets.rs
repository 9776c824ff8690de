//! Which NIs LNet would make from `networks=` and `ip2nets=` strings and YAML rules.
