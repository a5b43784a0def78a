"""The layer. Its rooms, lowest first: base, postgres, market, access, links, fleet, sync, health, then the door
`hosting_integration`, and http. An import goes down or stays in its room (tests/project/test_rooms.py)."""
