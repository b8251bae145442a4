// y = W x for a few rows at a time, as decoding has them: W is read once, from memory to registers, and multiplied on the tensor cores.
//
// A block computes 8 * TILES outputs for ROWS rows. Its warps share the inputs, each has as many neighbouring pieces of 32, and a lane takes 8
// consecutive inputs with one load, of weights and of rows alike: which of the tensor cores' 16 inputs they count as is the same for both, so that no
// data changes lanes. The order of all sums depends on the number of inputs alone: a row gets the same bits in any company.
//
// RMSNorm is split: whoever writes the residual stream x writes x * weight for the next product, too, with the sums of the squares of its 8 outputs;
// the product is scaled by 1 / rms afterwards.
//
// What does not come from the kernel before (weights, biases, positions) is loaded before the wait for it, and all that does directly behind it.

#define CHUNK 32

struct Rows
{
    int count;          // rows that are there; more are computed, and not written
    int first;          // of this block
    const int* map;     // where in x they lie, or null: in their order

    __device__ __forceinline__ int place(int i) const
    {
        const int row = first + i;
        return map ? map[min(row, count - 1)] : row;
    }
};

// How a block's warps share a product's inputs.
template <int INPUTS, int WARPS>
struct Plan
{
    static constexpr int PIECES = INPUTS / CHUNK;
    static constexpr int TURNS = (PIECES + WARPS - 1) / WARPS; // pieces of a warp
    static constexpr bool EVEN = PIECES == WARPS * TURNS;
    static constexpr int CHAINS = TURNS > 8 ? 2 : 1;           // sums of a warp: one after the other they would wait for each other

    // Whether the calling warp has a piece in this turn.
    static __device__ __forceinline__ bool has(int turn) { return EVEN || (int)threadIdx.x / 32 * TURNS + turn < PIECES; }

    // Where the calling lane's inputs of its warp's first piece are.
    static __device__ __forceinline__ int first() { return (int)threadIdx.x / 32 * TURNS * CHUNK + (int)threadIdx.x % 4 * 8; }
};

#if BF16
// The calling lane's weights, on their way into registers, as many as there are; or, where blocks are to be small, into shared memory, all, where
// every lane has places of its own.
template <int INPUTS, int WARPS, int TILES, bool IN_SHARED = false>
struct Weights
{
    using plan = Plan<INPUTS, WARPS>;
    static constexpr int MOST = 20 / TILES;
    static constexpr int DEPTH = IN_SHARED || plan::TURNS < MOST ? plan::TURNS : MOST;

    const element* from[TILES];
    uint4 ahead[IN_SHARED ? 1 : DEPTH][TILES];
    uint4* places; // [turn][tile][lane of the block]

    __device__ __forceinline__ void load(int turn)
    {
#pragma unroll
        for (int tile = 0; tile < TILES; tile++)
            if constexpr (IN_SHARED)
                copy_async(places + (turn * TILES + tile) * WARPS * 32, from[tile] + turn * CHUNK);
            else
                ahead[turn % DEPTH][tile] = load_here((const uint4*)(from[tile] + turn * CHUNK));
    }

    // rows: of the weight, an output's each; shared: room for them.
    __device__ __forceinline__ explicit Weights(const element* const (&rows)[TILES], float* shared = 0)
    {
        places = (uint4*)shared + threadIdx.x;
#pragma unroll
        for (int tile = 0; tile < TILES; tile++)
            from[tile] = rows[tile] + plan::first();
#pragma unroll
        for (int turn = 0; turn < DEPTH; turn++)
            if (plan::has(turn))
                load(turn);
        if constexpr (IN_SHARED)
            commit_copies();
    }

    // Waits for those in shared memory.
    __device__ __forceinline__ void arrive() const
    {
        if constexpr (IN_SHARED)
            wait_copies<0>();
    }

    __device__ __forceinline__ uint4 get(int turn, int tile) const
    {
        if constexpr (IN_SHARED)
            return places[(turn * TILES + tile) * WARPS * 32];
        else
            return ahead[turn % DEPTH][tile];
    }
};

// The sums of the calling warp's pieces, to shared memory: [warp][tile][ROWS][8 outputs]. `meanwhile` is done before that.
template <int INPUTS, int WARPS, int TILES, int ROWS, bool IN_SHARED, class Action>
__device__ __forceinline__ void multiply(float* shared, Weights<INPUTS, WARPS, TILES, IN_SHARED>& weights, const element* x, const Rows& rows,
    Action meanwhile)
{
    using plan = Plan<INPUTS, WARPS>;
    using own = Weights<INPUTS, WARPS, TILES, IN_SHARED>;
    constexpr int HALVES = ROWS / 8, BLOCKS = (HALVES + 1) / 2; // a tensor core's product takes 16 rows
    constexpr int MOST = HALVES == 1 ? 19 : HALVES == 2 && !IN_SHARED ? 8 : 2, DEPTH = plan::TURNS < MOST ? plan::TURNS : MOST;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
    const element* row[HALVES];
    bool there[HALVES];
    const uint4 none = { 0, 0, 0, 0 };
    uint4 ahead[DEPTH][HALVES];
#pragma unroll
    for (int half = 0; half < HALVES; half++)
    {
        row[half] = x + (size_t)rows.place(half * 8 + g) * INPUTS + plan::first();
        there[half] = rows.first + half * 8 + g < rows.count;
    }
    auto load = [&](int turn)
    {
#pragma unroll
        for (int half = 0; half < HALVES; half++)
            ahead[turn % DEPTH][half] = there[half] ? load_here((const uint4*)(row[half] + turn * CHUNK)) : none;
    };
    meanwhile();
#pragma unroll
    for (int turn = 0; turn < DEPTH; turn++)
        if (plan::has(turn))
            load(turn);
    // The sums begin with a zero that is made of the last of these loads: the compiler, who does not know that no count is negative, cannot put
    // products, which wait, in between.
    const float zero = __uint_as_float(ahead[DEPTH - 1][HALVES - 1].w & (u32)(rows.count >> 31));
    if (__float_as_uint(zero) == 0) // it is; so the rows' loads do not wait for the weights either
        weights.arrive();
    float sums[plan::CHAINS][TILES][BLOCKS][4];
#pragma unroll
    for (int i = 0; i < plan::CHAINS * TILES * BLOCKS * 4; i++)
        sums[i / (TILES * BLOCKS * 4)][i / (BLOCKS * 4) % TILES][i / 4 % BLOCKS][i % 4] = zero;
#pragma unroll
    for (int turn = 0; turn < plan::TURNS; turn++)
    {
        if (!plan::has(turn))
            break;
#pragma unroll
        for (int block = 0; block < BLOCKS; block++)
        {
            const uint4 a = ahead[turn % DEPTH][2 * block];
            const uint4 b = HALVES == 1 ? none : ahead[turn % DEPTH][2 * block + (HALVES > 1)];
#pragma unroll
            for (int tile = 0; tile < TILES; tile++)
            {
                const uint4 w = weights.get(turn, tile);
                auto& sum = sums[turn % plan::CHAINS][tile][block];
                multiply_add(sum, a.x, b.x, a.y, b.y, w.x, w.y);
                multiply_add(sum, a.z, b.z, a.w, b.w, w.z, w.w);
            }
        }
        if (turn + DEPTH < plan::TURNS && plan::has(turn + DEPTH))
            load(turn + DEPTH);
        if (turn + own::DEPTH < plan::TURNS && plan::has(turn + own::DEPTH))
            weights.load(turn + own::DEPTH);
    }
#pragma unroll
    for (int tile = 0; tile < TILES; tile++)
#pragma unroll
        for (int half = 0; half < HALVES; half++)
        {
            auto whole = [&](int i)
            {
                float sum = sums[0][tile][half / 2][half % 2 * 2 + i];
                for (int chain = 1; chain < plan::CHAINS; chain++)
                    sum += sums[chain][tile][half / 2][half % 2 * 2 + i];
                return sum;
            };
            *(float2*)(shared + ((warp * TILES + tile) * ROWS + half * 8 + g) * 8 + 2 * t) = make_float2(whole(0), whole(1));
        }
}
#else
template <int INPUTS, int WARPS, int TILES, bool IN_SHARED = false>
struct Weights
{
    const element* from[TILES];

    __device__ __forceinline__ explicit Weights(const element* const (&rows)[TILES], float* = 0)
    {
#pragma unroll
        for (int tile = 0; tile < TILES; tile++)
            from[tile] = rows[tile] + Plan<INPUTS, WARPS>::first();
    }
};

// The same in 32 bits on the ordinary units: a lane sums its own inputs of an output for 8 rows at a time, and the 4 lanes of an output add theirs at
// the end.
template <int INPUTS, int WARPS, int TILES, int ROWS, bool IN_SHARED, class Action>
__device__ __forceinline__ void multiply(float* shared, Weights<INPUTS, WARPS, TILES, IN_SHARED>& weights, const element* x, const Rows& rows,
    Action meanwhile)
{
    using plan = Plan<INPUTS, WARPS>;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
    meanwhile();
#pragma unroll 1
    for (int first = 0; first < ROWS; first += 8)
    {
        float part[TILES][8] = {};
        const element* row[8];
#pragma unroll
        for (int i = 0; i < 8; i++)
            row[i] = x + (size_t)rows.place(first + i) * INPUTS + plan::first();
        for (int turn = 0; turn < plan::TURNS && plan::has(turn); turn++)
        {
#pragma unroll
            for (int half = 0; half < 2; half++)
            {
                const int at = turn * CHUNK + half * 4;
                float4 b[8];
#pragma unroll
                for (int i = 0; i < 8; i++)
                    b[i] = *(const float4*)(row[i] + at);
#pragma unroll
                for (int tile = 0; tile < TILES; tile++)
                {
                    const float4 a = *(const float4*)(weights.from[tile] + at);
#pragma unroll
                    for (int i = 0; i < 8; i++)
                        part[tile][i] += a.x * b[i].x + a.y * b[i].y + a.z * b[i].z + a.w * b[i].w;
                }
            }
        }
#pragma unroll
        for (int tile = 0; tile < TILES; tile++)
#pragma unroll
            for (int i = 0; i < 8; i++)
            {
                float sum = part[tile][i];
                sum += __shfl_xor_sync(0xffffffffu, sum, 1);
                sum += __shfl_xor_sync(0xffffffffu, sum, 2);
                if (i / 2 == t)
                    shared[((warp * TILES + tile) * ROWS + first + i) * 8 + g] = sum;
            }
    }
}
#endif

// The whole sum of an output of a tile for a row: those of the first half of the warps and those of the second.
template <int WARPS, int TILES, int ROWS>
__device__ __forceinline__ float gathered(const float* shared, int tile, int output, int row)
{
    float sums[2] = {};
#pragma unroll
    for (int warp = 0; warp < WARPS; warp++)
        sums[warp >= (WARPS + 1) / 2] += shared[((warp * TILES + tile) * ROWS + row) * 8 + output];
    return sums[0] + sums[1];
}

// 1 / rms of the rows of a block, from the sums of squares [row][HIDDEN / 8]. Sixteen lanes take a row.
template <int WARPS, int ROWS>
struct Scales
{
    static constexpr int LANES = 16, LOADS = (HIDDEN / 32 + LANES - 1) / LANES, AT_ONCE = WARPS * 32 / LANES, STEPS = (ROWS + AT_ONCE - 1) / AT_ONCE;

    float4 part[STEPS][LOADS];

    __device__ __forceinline__ void load(const float* squares, const Rows& rows)
    {
        const int lane = threadIdx.x % LANES;
#pragma unroll
        for (int step = 0; step < STEPS; step++)
        {
            const int i = step * AT_ONCE + threadIdx.x / LANES;
            const bool there = i < ROWS && rows.first + i < rows.count;
            const float4* own = (const float4*)(squares + (size_t)(there ? rows.place(i) : 0) * (HIDDEN / 8)) + lane;
#pragma unroll
            for (int at = 0; at < LOADS; at++)
                part[step][at] = there && at * LANES + lane < HIDDEN / 32 ? load_here(own + at * LANES) : make_float4(0, 0, 0, 0);
        }
    }

    // Into shared memory, [ROWS].
    __device__ __forceinline__ void share(float* scales, float epsilon)
    {
#pragma unroll
        for (int step = 0; step < STEPS; step++)
        {
            const int i = step * AT_ONCE + threadIdx.x / LANES;
            float sum = 0;
#pragma unroll
            for (int at = 0; at < LOADS; at++)
                sum += part[step][at].x + part[step][at].y + (part[step][at].z + part[step][at].w);
#pragma unroll
            for (int distance = 1; distance < LANES; distance *= 2)
                sum += __shfl_xor_sync(0xffffffffu, sum, distance);
            if (threadIdx.x % LANES == 0 && i < ROWS)
                scales[i] = rsqrtf(sum / HIDDEN + epsilon);
        }
    }
};
