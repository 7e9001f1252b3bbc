"""The decisions: (declared, observed, now) -> Plan. Pure; every refusal happens here, before anything is written."""
