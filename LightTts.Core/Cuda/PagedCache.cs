namespace LightTts.Cuda;

/// <summary>Where rows and their keys and values lie on the device.</summary>
/// <param name="Keys">A layer's pages: [blocks, KV heads, page, head size].</param>
/// <param name="Values">Likewise.</param>
/// <param name="Positions">[rows] position in the sequence; -1 for a row that is not there.</param>
/// <param name="Sequences">[rows] number of the row's block table.</param>
/// <param name="Tables">[sequences, <paramref name="TableBlocks"/>] blocks of a sequence, in the order of its positions.</param>
/// <param name="TableBlocks">Room for blocks in a table.</param>
internal readonly record struct PagedCache(nint Keys, nint Values, nint Positions, nint Sequences, nint Tables, int TableBlocks);
