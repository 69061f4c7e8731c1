import CKernels

/// What happens when a log's file is cut short by someone else, or cannot be read by its disk, while it is mapped.
package enum BusErrors {
  /// The program ends with status 1 and says which file it was, instead of by a signal that says nothing. For programs:
  /// a library does not take signals from whoever uses it.
  package static func explain() { kv_explain_bus_errors() }
}
