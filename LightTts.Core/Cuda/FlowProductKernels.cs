namespace LightTts.Cuda;

/// <summary>Matrix products of the flow's transformer with what stands around them (flow_products.cu), for few rows: five launches a layer
/// with the attention. All arguments but numbers are addresses.</summary>
internal abstract class FlowProductKernels
{
    public const string Source = "flow_products.cu";

    /// <summary>Numbers of a row that have their moments together.</summary>
    public const int MomentNumbers = 32;

    /// <summary>Rows up to which these are faster than the library's products: measured at full size on an H100.</summary>
    public abstract int MaxRows { get; }

    /// <summary>Those for a card.</summary>
    /// <param name="module">The compiled source.</param>
    /// <param name="dim">Width of the transformer.</param>
    /// <param name="hidden">Of its feed-forward part.</param>
    /// <param name="sharedBytes">Shared memory that a block may have.</param>
    /// <returns>Null where there are none for these sizes.</returns>
    public static FlowProductKernels? TryCreate(CudaModule module, int dim, int hidden, int sharedBytes)
    {
        if (dim % 256 != 0 || dim > 2048 || hidden % 256 != 0)
            return null;
        if (module.HasGroups)
            return new FlowTiledProducts(module, dim, hidden);
        return FlowFewProducts.Fits(dim, hidden, sharedBytes) ? new FlowFewProducts(module, dim, hidden) : null;
    }

    /// <summary>Norm, modulation, queries, keys and values with rotary positions: where they go is said at the kernel.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="rows">2 frames.</param>
    /// <param name="x">The residual stream as <see cref="AddAttended"/> leaves it.</param>
    /// <param name="product">The weight, and the step's numbers for it.</param>
    /// <param name="turns">[frames, head size].</param>
    /// <param name="places">[blocks, columns].</param>
    /// <param name="columns">Places of a block.</param>
    /// <param name="qkv">[rows, 3 dim].</param>
    /// <param name="pages">[*, 2 dim]; 0: there are none.</param>
    /// <param name="epsilon">Of the norm.</param>
    public abstract void Project(nint stream, int rows, in Stream x, in Normed product, nint turns, nint places, int columns, nint qkv, nint pages,
        float epsilon);

    /// <summary>Norm, modulation, product and GELU: y [rows, hidden].</summary>
    public abstract void Up(nint stream, int rows, in Stream x, in Normed product, nint y, float epsilon);

    /// <summary>h += gate * (y Wᵀ + bias), for y [rows, dim]; scaled for the next norm.</summary>
    public abstract void AddAttended(nint stream, int rows, nint y, in Added product, in Stream x);

    /// <summary>The same for y [rows, hidden].</summary>
    public abstract void AddDown(nint stream, int rows, nint y, in Added product, in Stream x);

    /// <summary>So many blocks.</summary>
    protected static int Blocks(int rows, int of) => (rows + of - 1) / of;

    /// <summary>Where the residual stream lies.</summary>
    /// <param name="Values">[rows, dim] in 32 bits.</param>
    /// <param name="Scaled">[rows, dim] times the next norm's scale.</param>
    /// <param name="Moments">[rows, dim / <see cref="MomentNumbers"/>] of two 32-bit numbers.</param>
    public readonly record struct Stream(nint Values, nint Scaled, nint Moments);

    /// <summary>A product behind a norm.</summary>
    /// <param name="Weight">[outputs, dim].</param>
    /// <param name="Slope">[outputs] weight times scale.</param>
    /// <param name="Offset">[outputs] weight times shift, and the bias.</param>
    public readonly record struct Normed(nint Weight, nint Slope, nint Offset);

    /// <summary>A product whose result is added to the residual stream.</summary>
    /// <param name="Weight">[dim, inputs].</param>
    /// <param name="Bias">[dim], as the weight.</param>
    /// <param name="Gate">[dim] in 32 bits.</param>
    /// <param name="NextScale">[dim] of the next norm, in 32 bits.</param>
    public readonly record struct Added(nint Weight, nint Bias, nint Gate, nint NextScale);
}
