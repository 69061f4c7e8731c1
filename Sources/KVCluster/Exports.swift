// Statuses, events, errors and options are part of the engine's interface: who imports the engine has them too.
@_exported import ClusterModel
