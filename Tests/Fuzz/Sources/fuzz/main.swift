// libFuzzer over everything that is read from a data folder.
//
//     fuzz [libFuzzer's options] CORPUS…
//     fuzz --write-corpus CORPUS            the inputs to begin with, from folders as the engine makes them
//
// A trap or an access outside of a file's bytes ends the program, and libFuzzer keeps the input.
import CFuzzer
import Foundation

if CommandLine.arguments.dropFirst().first == "--write-corpus", CommandLine.arguments.count == 3 {
  try Corpus.write(to: CommandLine.arguments[2])
} else {
  var count = CommandLine.argc
  var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
  exit(
    LLVMFuzzerRunDriver(&count, &arguments) { data, byteCount in
      FuzzInput(UnsafeRawBufferPointer(start: data, count: byteCount))?.run()
      return 0
    })
}
