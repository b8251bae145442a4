namespace LightTts.Benchmarks.Ledger;

/// <summary>Something that a device did: a kernel, a copy or a fill of memory.</summary>
/// <param name="Name">Of the kernel, as a person reads it; of a copy, its direction.</param>
/// <param name="Start">Nanoseconds on CUPTI's clock.</param>
/// <param name="End">Likewise.</param>
/// <param name="Device">Number of the device.</param>
/// <param name="Stream">CUPTI's number of the stream.</param>
/// <param name="Correlation">That of the host's call which launched it; that of a graph's launch for all that is in the graph.</param>
/// <param name="Graph">CUPTI's number of the graph that it is part of; 0: of none.</param>
/// <param name="Bytes">Of a copy or a fill.</param>
internal readonly record struct DeviceActivity(string Name, long Start, long End, uint Device, uint Stream, uint Correlation, uint Graph, long Bytes);

/// <summary>A call of CUDA's runtime or driver.</summary>
/// <param name="Name">Of the function.</param>
/// <param name="Start">Nanoseconds on CUPTI's clock.</param>
/// <param name="End">Likewise.</param>
/// <param name="Thread">The system's number of the thread.</param>
/// <param name="Correlation">What it launched has the same.</param>
internal readonly record struct HostCall(string Name, long Start, long End, uint Thread, uint Correlation);
