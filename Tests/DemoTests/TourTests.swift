import Demo
import Testing
