"""What the environment of every test says."""

SECRET = "the-crm-signs-with-this"
PUBLIC_ORIGIN = "https://crm.example.com"
