"""The facts about a call: who alone writes them, what is in force, and what they are read by."""
