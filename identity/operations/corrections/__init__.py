"""What people do to profiles: taking a wrong merge back, taking an identifier away."""
