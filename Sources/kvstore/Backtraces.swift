import Faces
import Glibc

/// What Swift prints when the program crashes.
enum Backtraces {
  /// Starts the program anew with quiet backtraces, if Swift's backtracer would otherwise take the terminal.
  ///
  /// On a terminal the backtracer asks what to do and waits half a minute for a key, which nobody presses who has just
  /// lost a full-screen program. Its settings are read before `main`, so they cannot be changed from inside. Call this
  /// first; it returns when there is nothing to do.
  static func quiet() {
    guard getenv("SWIFT_BACKTRACE") == nil, Console.standard.isTyped else { return }
    setenv("SWIFT_BACKTRACE", "interactive=no,color=no", 1)
    execv("/proc/self/exe", CommandLine.unsafeArgv)
  }
}
