// The products of a feed-forward layer in bfloat16 for more rows than matrix.cu's are good for: the rows, which every block of those reads again and
// again, come into shared memory once. Each sum is made of the same parts in the same order as there: the bits are the same. For cards with
// clusters of blocks, and for sizes that fit (TransformerShape.IsWide).

#if BF16 && IS_WIDE && __CUDA_ARCH__ >= 900
// Rows in shared memory: `PIECES` pieces of 32 inputs of ROWS rows. A row's stride makes lanes of neighbouring rows find different banks.
template <int ROWS, int PIECES>
struct StagedRows
{
    static constexpr int STRIDE = PIECES * CHUNK + (PIECES % 2 == 0 ? CHUNK : 0);
    static constexpr int BYTES = ROWS * STRIDE * 2;

    element* to;

    // Asks for COUNT pieces from `first` on, as far as they are before `end`, of rows of x, which are `inputs` long.
    template <int COUNT>
    __device__ __forceinline__ void load(const element* x, int inputs, int first, int end, const Rows& rows) const
    {
        for (int i = threadIdx.x; i < ROWS * COUNT * 4; i += blockDim.x)
        {
            const int row = i / (COUNT * 4), piece = first + i / 4 % COUNT, at = piece * CHUNK + i % 4 * 8;
            const bool there = rows.first + row < rows.count;
            if (piece < end)
                copy_async_or_zero(to + row * STRIDE + at, there ? x + (size_t)(rows.first + row) * inputs + at : x, there);
        }
    }

    // sums[block of 16 rows] += of a piece, by the weights that a lane has of it.
    template <int TILES>
    __device__ __forceinline__ void multiply(float (&sums)[ROWS / 16][TILES][4], int piece, const uint4 (&weights)[TILES]) const
    {
        const element* own = to + threadIdx.x % 32 / 4 * STRIDE + piece * CHUNK + threadIdx.x % 4 * 8;
#pragma unroll
        for (int block = 0; block < ROWS / 16; block++)
        {
            const uint4 a = *(const uint4*)(own + block * 16 * STRIDE), b = *(const uint4*)(own + (block * 16 + 8) * STRIDE);
#pragma unroll
            for (int tile = 0; tile < TILES; tile++)
            {
                multiply_add(sums[block][tile], a.x, b.x, a.y, b.y, weights[tile].x, weights[tile].y);
                multiply_add(sums[block][tile], a.z, b.z, a.w, b.w, weights[tile].z, weights[tile].w);
            }
        }
    }
};

// Groups of copies that may be under way still.
__device__ __forceinline__ void wait_copies_but(int pending)
{
    if (pending >= 3)
        wait_copies<3>();
    else if (pending == 2)
        wait_copies<2>();
    else if (pending == 1)
        wait_copies<1>();
    else
        wait_copies<0>();
}

// Warps of a block of the gate's product that have 8 channels each; as many again have the second half of the inputs.
#define GATE_WARPS 5

// `gate` of matrix.cu. A warp takes 8 channels, gate and up, for all rows, and half of the parts that the inputs have there.
template <int ROWS>
__device__ void gate_wide(const element* x, const float* squares, const element* weight, element* y, int count, float epsilon)
{
    using plan = Plan<HIDDEN, WARPS_HIDDEN>;
    using staged = StagedRows<ROWS, plan::PIECES>;
    constexpr int TURNS = plan::TURNS, FIRST_PARTS = (WARPS_HIDDEN + 1) / 2, MOST = FIRST_PARTS * TURNS, DEPTH = MOST < 8 ? MOST : 8;
    constexpr int BLOCKS = ROWS / 16;
    extern __shared__ __align__(16) float shared[];
    __shared__ float scales[ROWS];
    release_next();
    const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4, warp = threadIdx.x / 32 % GATE_WARPS, half = threadIdx.x / 32 / GATE_WARPS;
    const int channel = ((int)blockIdx.x * GATE_WARPS + warp) * 8;
    const Rows rows = { count, (int)blockIdx.y * ROWS, 0 };
    const int from = half * FIRST_PARTS * TURNS, to = half == 0 ? min(FIRST_PARTS * TURNS, plan::PIECES) : plan::PIECES;
    const element* own[2];
    own[0] = weight + (size_t)(min(channel, INNER - 8) + g) * HIDDEN + from * CHUNK + t * 8;
    own[1] = own[0] + (size_t)INNER * HIDDEN;
    uint4 ahead[DEPTH][2];
#pragma unroll
    for (int i = 0; i < DEPTH; i++)
        if (from + i < to)
        {
            ahead[i][0] = load_here((const uint4*)(own[0] + i * CHUNK));
            ahead[i][1] = load_here((const uint4*)(own[1] + i * CHUNK));
        }
    wait_for_previous();
    // Both halves of the inputs come side by side, in so many groups.
    constexpr int GROUPED = 4, GROUP_PIECES = (MOST + GROUPED - 1) / GROUPED;
    const staged all = { (element*)shared };
#pragma unroll
    for (int group = 0; group < GROUPED; group++)
    {
        all.template load<GROUP_PIECES>(x, HIDDEN, group * GROUP_PIECES, MOST, rows);
        all.template load<GROUP_PIECES>(x, HIDDEN, MOST + group * GROUP_PIECES, plan::PIECES, rows);
        commit_copies();
    }
    {
        Scales<2 * GATE_WARPS, ROWS> parts;
        parts.load(squares, rows);
        parts.share(scales, epsilon);
    }
    float part[BLOCKS][2][4] = {}, sums[BLOCKS][2][4] = {};
#pragma unroll
    for (int i = 0; i < MOST; i++)
    {
        if (i % GROUP_PIECES == 0)
        {
            wait_copies_but(GROUPED - 1 - i / GROUP_PIECES);
            __syncthreads();
        }
        if (from + i < to)
        {
            all.multiply(part, from + i, ahead[i % DEPTH]);
            if (i + DEPTH < MOST && from + i + DEPTH < to)
            {
                ahead[i % DEPTH][0] = load_here((const uint4*)(own[0] + (i + DEPTH) * CHUNK));
                ahead[i % DEPTH][1] = load_here((const uint4*)(own[1] + (i + DEPTH) * CHUNK));
            }
        }
        if (i % TURNS == TURNS - 1)
#pragma unroll
            for (int j = 0; j < BLOCKS * 8; j++)
            {
                sums[j / 8][j / 4 % 2][j % 4] += part[j / 8][j / 4 % 2][j % 4];
                part[j / 8][j / 4 % 2][j % 4] = 0;
            }
    }
    __syncthreads(); // nobody reads the rows any longer
    float4* exchange = (float4*)shared + warp * 32 + lane;
    if (half == 1)
#pragma unroll
        for (int i = 0; i < BLOCKS * 2; i++)
            exchange[i * GATE_WARPS * 32] = make_float4(sums[i / 2][i % 2][0], sums[i / 2][i % 2][1], sums[i / 2][i % 2][2], sums[i / 2][i % 2][3]);
    __syncthreads();
    if (half == 1 || channel >= INNER)
        return;
#pragma unroll
    for (int block = 0; block < BLOCKS; block++)
    {
        const float4 gates = exchange[block * 2 * GATE_WARPS * 32], ups = exchange[(block * 2 + 1) * GATE_WARPS * 32];
#pragma unroll
        for (int side = 0; side < 2; side++)
        {
            const int at = block * 16 + side * 8 + g;
            if (rows.first + at >= count)
                continue;
            auto gated = [&](float gate, float up)
            {
                gate *= scales[at];
                return gate / (1 + __expf(-gate)) * (up * scales[at]);
            };
            const float y0 = gated(sums[block][0][side * 2] + (side ? gates.z : gates.x), sums[block][1][side * 2] + (side ? ups.z : ups.x));
            const float y1 = gated(sums[block][0][side * 2 + 1] + (side ? gates.w : gates.y), sums[block][1][side * 2 + 1] + (side ? ups.w : ups.y));
            *(u32*)(y + (size_t)(rows.first + at) * INNER + channel + 2 * t) = narrow_pair(y0, y1);
        }
    }
}

// `add_product` of matrix.cu for the feed-forward layer's inputs: 64 outputs for a cluster of as many blocks as the inputs have parts, each of which
// takes a part, and puts 8 outputs together.
template <int ROWS>
__device__ void add_gated_wide(const element* y, const element* weight, const float* norm, float* x, element* normed, float* squares, int count,
    const void* ahead, u32 ahead_bytes)
{
    using plan = Plan<INNER, WARPS_INNER>;
    using staged = StagedRows<ROWS, plan::TURNS>;
    constexpr int TURNS = plan::TURNS, BLOCKS = ROWS / 16, STRIDE = 72; // of a row's sums: lanes find different banks
    extern __shared__ __align__(16) float shared[];
    release_next();
    const int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4, warp = threadIdx.x / 32, rank = cluster_rank(), group = blockIdx.x / WARPS_INNER;
    const Rows rows = { count, (int)blockIdx.y * ROWS, 0 };
    const int first = rank * TURNS, available = min(TURNS, plan::PIECES - first);
    const element* own = weight + (size_t)(group * 64 + warp * 8 + g) * INNER + first * CHUNK + t * 8;
    uint4 weights[TURNS][1];
#pragma unroll
    for (int turn = 0; turn < TURNS; turn++)
        if (turn < available)
            weights[turn][0] = load_here((const uint4*)(own + turn * CHUNK));
    bring_near(ahead, ahead_bytes);
    // What this block puts together: a lane has two outputs of a row.
    const int pair = threadIdx.x % 4, at = threadIdx.x / 4, row = rows.first + at, output = group * 64 + rank * 8 + 2 * pair;
    const bool there = at < ROWS && row < count;
    const float2 scale = load_here((const float2*)(norm + output));
    wait_for_previous();
    const float2 before = there ? load_here((const float2*)(x + (size_t)row * HIDDEN + output)) : make_float2(0, 0);
    constexpr int GROUPED = 4, GROUP_PIECES = (TURNS + GROUPED - 1) / GROUPED;
    const staged all = { (element*)shared };
#pragma unroll
    for (int i = 0; i < GROUPED; i++)
    {
        all.template load<GROUP_PIECES>(y + first * CHUNK, INNER, i * GROUP_PIECES, available, rows);
        commit_copies();
    }
    float sums[plan::CHAINS][BLOCKS][1][4] = {};
#pragma unroll
    for (int turn = 0; turn < TURNS; turn++)
    {
        if (turn % GROUP_PIECES == 0)
        {
            wait_copies_but(GROUPED - 1 - turn / GROUP_PIECES);
            __syncthreads();
        }
        if (turn < available)
            all.multiply(sums[turn % plan::CHAINS], turn, weights[turn]);
    }
    __syncthreads(); // nobody reads the rows any longer
#pragma unroll
    for (int block = 0; block < BLOCKS; block++)
#pragma unroll
        for (int side = 0; side < 2; side++)
        {
            auto whole = [&](int i)
            {
                float sum = sums[0][block][0][side * 2 + i];
                for (int chain = 1; chain < plan::CHAINS; chain++)
                    sum += sums[chain][block][0][side * 2 + i];
                return sum;
            };
            *(float2*)(shared + (block * 16 + side * 8 + g) * STRIDE + warp * 8 + 2 * t) = make_float2(whole(0), whole(1));
        }
    cluster_sync();
    float square = 0;
    if (there)
    {
        float2 halves[2] = {};
#pragma unroll
        for (int part = 0; part < WARPS_INNER; part++)
        {
            const float2 other = load_remote((const float2*)(shared + at * STRIDE + rank * 8 + 2 * pair), part);
            halves[part >= (WARPS_INNER + 1) / 2].x += other.x;
            halves[part >= (WARPS_INNER + 1) / 2].y += other.y;
        }
        const float x0 = before.x + (halves[0].x + halves[1].x), x1 = before.y + (halves[0].y + halves[1].y);
        *(float2*)(x + (size_t)row * HIDDEN + output) = make_float2(x0, x1);
        *(u32*)(normed + (size_t)row * HIDDEN + output) = narrow_pair(x0 * scale.x, x1 * scale.y);
        square = x0 * x0 + x1 * x1;
    }
    // The 4 lanes of a row are side by side.
    square += __shfl_xor_sync(0xffffffffu, square, 1);
    square += __shfl_xor_sync(0xffffffffu, square, 2);
    if (there && pair == 0)
        squares[(size_t)row * (HIDDEN / 8) + output / 8] = square;
    cluster_sync(); // the others may still read this block's sums
}

#define WIDE_KERNELS(ROWS) \
    extern "C" __global__ void __launch_bounds__(64 * GATE_WARPS) gate_wide_##ROWS(const element* x, const float* squares, const element* weight, \
        element* y, int count, float epsilon) \
    { \
        gate_wide<ROWS>(x, squares, weight, y, count, epsilon); \
    } \
    extern "C" __global__ void __cluster_dims__(WARPS_INNER, 1, 1) __launch_bounds__(32 * WARPS_INNER) add_gated_wide_##ROWS(const element* y, \
        const element* weight, const float* norm, float* x, element* normed, float* squares, int count, const void* ahead, u32 ahead_bytes) \
    { \
        add_gated_wide<ROWS>(y, weight, norm, x, normed, squares, count, ahead, ahead_bytes); \
    }

WIDE_KERNELS(32)
WIDE_KERNELS(64)
#endif
