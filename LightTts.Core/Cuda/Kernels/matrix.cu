// y = W x for a few rows at a time, as decoding has them: W is read once, from memory to registers, and multiplied on the tensor cores. With it what
// stands before and after it in a layer: the norm's scale, biases, rotary positions and the append to the KV cache; residuals; SiLU.
//
// A block computes 16 outputs (TILES times that where there are many rows) for 8 * COLUMNS rows. Its warps share the inputs in pieces of 32, and a
// lane takes 8 consecutive inputs with one load, of weights and of rows alike: which of the tensor cores' 16 inputs they count as is the same for
// both, so that no data changes lanes. The order of all sums depends on the number of inputs alone: a row gets the same bits in any company.
//
// RMSNorm is split: whoever writes the residual stream x writes x * weight for the next product, too, with the sum of the squares of its 16 outputs;
// the product is scaled by 1 / rms afterwards.

#define CHUNK 32

struct Rows
{
    int count;          // rows that are there; more are computed, and not written
    int first;          // of this block
    const int* map;     // where in x they lie, or null: in their order
};

// What a warp keeps of a product's inputs, and how many pieces of weights it has under way: all where there are few sums to keep beside them.
template <int INPUTS, int WARPS, int TILES, int COLUMNS>
struct Plan
{
    static constexpr int PIECES = INPUTS / CHUNK;
    static constexpr int TURNS = (PIECES + WARPS - 1) / WARPS;
    static constexpr bool EVEN = PIECES % WARPS == 0;
    static constexpr int MOST = TILES * COLUMNS <= 2 ? 8 : TILES * COLUMNS <= 6 ? 4 : TILES * COLUMNS <= 8 ? 4 : 2;
    static constexpr int DEPTH = TURNS < MOST ? TURNS : MOST;
};

#if BF16
// The sums of the calling warp's pieces.
template <int INPUTS, int WARPS, int TILES, int COLUMNS>
__device__ __forceinline__ void multiply(float (&sums)[TILES][COLUMNS][4], const element* const (&weights)[TILES][2], const element* x,
    const Rows& rows)
{
    using plan = Plan<INPUTS, WARPS, TILES, COLUMNS>;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int g = lane / 4, first = warp * CHUNK + lane % 4 * 8;
    uint4 a[plan::DEPTH][TILES][2];
#pragma unroll
    for (int turn = 0; turn < plan::DEPTH; turn++)
        if (plan::EVEN || warp + turn * WARPS < plan::PIECES)
#pragma unroll
            for (int tile = 0; tile < TILES; tile++)
            {
                a[turn][tile][0] = load_weights(weights[tile][0] + first + turn * WARPS * CHUNK);
                a[turn][tile][1] = load_weights(weights[tile][1] + first + turn * WARPS * CHUNK);
            }
    wait_for_previous();

    // 32 bits for each row's place, as registers decide how many blocks a processor holds.
    u32 row[COLUMNS];
#pragma unroll
    for (int column = 0; column < COLUMNS; column++)
    {
        int r = rows.first + column * 8 + g;
        row[column] = (u32)(rows.map ? rows.map[min(r, rows.count - 1)] : r) * INPUTS + first;
    }
#pragma unroll
    for (int turn = 0; turn < plan::TURNS; turn++)
    {
        if (!plan::EVEN && warp + turn * WARPS >= plan::PIECES)
            break;
#pragma unroll
        for (int column = 0; column < COLUMNS; column++)
        {
            const uint4 b = *(const uint4*)(x + row[column] + turn * WARPS * CHUNK);
#pragma unroll
            for (int tile = 0; tile < TILES; tile++)
            {
                const uint4 a0 = a[turn % plan::DEPTH][tile][0], a1 = a[turn % plan::DEPTH][tile][1];
                multiply_add(sums[tile][column], a0.x, a1.x, a0.y, a1.y, b.x, b.y);
                multiply_add(sums[tile][column], a0.z, a1.z, a0.w, a1.w, b.z, b.w);
            }
        }
        const int next = turn + plan::DEPTH;
        if (next < plan::TURNS && (plan::EVEN || warp + next * WARPS < plan::PIECES))
#pragma unroll
            for (int tile = 0; tile < TILES; tile++)
            {
                a[turn % plan::DEPTH][tile][0] = load_weights(weights[tile][0] + first + next * WARPS * CHUNK);
                a[turn % plan::DEPTH][tile][1] = load_weights(weights[tile][1] + first + next * WARPS * CHUNK);
            }
    }
}
#else
// The same in 32 bits on the ordinary units: a lane sums its own inputs for all 8 rows of a column, and the 4 lanes of a row add theirs at the end.
template <int INPUTS, int WARPS, int TILES, int COLUMNS>
__device__ __forceinline__ void multiply(float (&sums)[TILES][COLUMNS][4], const element* const (&weights)[TILES][2], const element* x,
    const Rows& rows)
{
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int t = lane % 4, offset = t * 8;
    wait_for_previous();
#pragma unroll 1
    for (int column = 0; column < COLUMNS; column++)
    {
        float part[TILES][2][8] = {};
        const element* row[8];
#pragma unroll
        for (int i = 0; i < 8; i++)
        {
            int r = rows.first + column * 8 + i;
            row[i] = x + (size_t)(rows.map ? rows.map[min(r, rows.count - 1)] : r) * INPUTS + offset;
        }
        for (int piece = warp; piece < INPUTS / CHUNK; piece += WARPS)
        {
#pragma unroll
            for (int half = 0; half < 2; half++)
            {
                int at = piece * CHUNK + half * 4;
                float4 b[8];
#pragma unroll
                for (int i = 0; i < 8; i++)
                    b[i] = *(const float4*)(row[i] + at);
#pragma unroll
                for (int tile = 0; tile < TILES; tile++)
#pragma unroll
                    for (int side = 0; side < 2; side++)
                    {
                        float4 a = *(const float4*)(weights[tile][side] + offset + at);
#pragma unroll
                        for (int i = 0; i < 8; i++)
                            part[tile][side][i] += a.x * b[i].x + a.y * b[i].y + a.z * b[i].z + a.w * b[i].w;
                    }
            }
        }
#pragma unroll
        for (int tile = 0; tile < TILES; tile++)
#pragma unroll
            for (int side = 0; side < 2; side++)
#pragma unroll
                for (int i = 0; i < 8; i++)
                {
                    float sum = part[tile][side][i];
                    sum += __shfl_xor_sync(0xffffffffu, sum, 1);
                    sum += __shfl_xor_sync(0xffffffffu, sum, 2);
                    if (i / 2 == t)
                    {
                        // Columns are not known when this is compiled, so that no register array is indexed by one.
#pragma unroll
                        for (int c = 0; c < COLUMNS; c++)
                            if (c == column)
                                sums[tile][c][side * 2 + i % 2] = sum;
                    }
                }
    }
}
#endif

// Shared memory's stride from output to output: two more than the rows, so that the lanes that gather find different banks.
#define STRIDE(COLUMNS) ((COLUMNS) * 8 + 2)

// Puts the warps' sums into shared memory, [warp][tile][output of 16][row], for `gathered`.
template <int TILES, int COLUMNS>
__device__ __forceinline__ void share(float* shared, const float (&sums)[TILES][COLUMNS][4])
{
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, g = lane / 4, t = lane % 4;
#pragma unroll
    for (int tile = 0; tile < TILES; tile++)
#pragma unroll
        for (int column = 0; column < COLUMNS; column++)
#pragma unroll
            for (int side = 0; side < 2; side++)
                *(float2*)(shared + ((warp * TILES + tile) * 16 + g + side * 8) * STRIDE(COLUMNS) + column * 8 + 2 * t) =
                    make_float2(sums[tile][column][2 * side], sums[tile][column][2 * side + 1]);
}

// The whole sum of an output of a tile for a row.
template <int WARPS, int TILES, int COLUMNS>
__device__ __forceinline__ float gathered(const float* shared, int tile, int output, int row)
{
    float sum = 0;
#pragma unroll
    for (int warp = 0; warp < WARPS; warp++)
        sum += shared[((warp * TILES + tile) * 16 + output) * STRIDE(COLUMNS) + row];
    return sum;
}

// 1 / rms of the rows of this block, from the sums of squares [row][HIDDEN / 16], into shared memory. Four lanes take a row, and all of their loads
// go out together.
template <int WARPS, int COLUMNS>
__device__ __forceinline__ void share_scales(float* scales, const float* squares, const Rows& rows, float epsilon)
{
    constexpr int PARTS_OF_ROW = HIDDEN / 16, LOADS = (PARTS_OF_ROW + 3) / 4, AT_ONCE = WARPS * 8;
#pragma unroll
    for (int start = 0; start < COLUMNS * 8; start += AT_ONCE)
    {
        const int i = start + threadIdx.x / 4, lane = threadIdx.x % 4, row = rows.first + i;
        const bool there = i < COLUMNS * 8 && row < rows.count;
        const float* own = squares + (size_t)(there ? rows.map ? rows.map[row] : row : 0) * PARTS_OF_ROW;
        float part[LOADS];
#pragma unroll
        for (int load = 0; load < LOADS; load++)
            part[load] = there && load * 4 + lane < PARTS_OF_ROW ? own[load * 4 + lane] : 0;
        float sum = 0;
#pragma unroll
        for (int load = 0; load < LOADS; load++)
            sum += part[load];
        sum += __shfl_xor_sync(0xffffffffu, sum, 1);
        sum += __shfl_xor_sync(0xffffffffu, sum, 2);
        if (lane == 0 && i < COLUMNS * 8)
            scales[i] = rsqrtf(sum / HIDDEN + epsilon);
    }
}

// Queries, keys and values: [rows, HIDDEN] -> q [rows, HEADS * HEAD_DIM] in 32 bits, k and v into the KV cache, both turned by their position.
// weight [(HEADS + 2 KV_HEADS) * HEAD_DIM, HIDDEN], the two numbers that turn together side by side; turns [positions, HEAD_DIM / 2, (cos, sin)].
// Pages: [block, KV_HEADS, PAGE, HEAD_DIM]; a row without a position (-1) writes none.
// Floor: the weights' bytes at the memory's speed.
template <int COLUMNS>
__device__ void project(const element* x, const float* squares, const element* weight, const element* bias, const float* turns, const int* positions,
    const int* sequences, const int* tables, int table_blocks, float* queries, element* keys, element* values, int count, float epsilon)
{
    extern __shared__ float shared[];
    __shared__ float scales[COLUMNS * 8];
    release_next();
    const int tile = blockIdx.x;
    const int g = threadIdx.x % 32 / 4;
    const Rows rows = { count, (int)blockIdx.y * COLUMNS * 8, 0 };
    const element* w[1][2] = { { weight + (size_t)(tile * 16 + g) * HIDDEN, weight + (size_t)(tile * 16 + g + 8) * HIDDEN } };
    float sums[1][COLUMNS][4] = {};
    multiply<HIDDEN, WARPS_HIDDEN, 1, COLUMNS>(sums, w, x, rows);
    share_scales<WARPS_HIDDEN, COLUMNS>(scales, squares, rows, epsilon);
    share<1, COLUMNS>(shared, sums);
    __syncthreads();
    for (int i = threadIdx.x; i < 8 * COLUMNS * 8; i += blockDim.x)
    {
        const int pair = i % 8, at = i / 8, row = rows.first + at;
        if (row >= count)
            continue;
        const int output = tile * 16 + 2 * pair, position = positions[row];
        float y0 = gathered<WARPS_HIDDEN, 1, COLUMNS>(shared, 0, 2 * pair, at) * scales[at] + widen(bias[output]);
        float y1 = gathered<WARPS_HIDDEN, 1, COLUMNS>(shared, 0, 2 * pair + 1, at) * scales[at] + widen(bias[output + 1]);
        const int head = output / HEAD_DIM, within = output % HEAD_DIM;
        if (position < 0)
            continue;
        if (head < HEADS + KV_HEADS)
        {
            const float2 turn = *(const float2*)(turns + (size_t)position * HEAD_DIM + within);
            const float turned = y0 * turn.x - y1 * turn.y;
            y1 = y0 * turn.y + y1 * turn.x;
            y0 = turned;
        }
        if (head < HEADS)
        {
            queries[(size_t)row * (HEADS * HEAD_DIM) + output] = y0;
            queries[(size_t)row * (HEADS * HEAD_DIM) + output + 1] = y1;
            continue;
        }
        const int block = tables[(size_t)sequences[row] * table_blocks + position / PAGE];
        const int kv = (head - HEADS) % KV_HEADS;
        element* page = (head < HEADS + KV_HEADS ? keys : values) + (((size_t)block * KV_HEADS + kv) * PAGE + position % PAGE) * HEAD_DIM + within;
        page[0] = narrow(y0);
        page[1] = narrow(y1);
    }
}

// The residual stream: x [rows, HIDDEN] += W y for y [rows, INPUTS], with what the next product asks for: x * norm, and sums of squares.
// Floor: the weights' bytes at the memory's speed.
template <int INPUTS, int WARPS, int COLUMNS>
__device__ void add_product(const element* y, const element* weight, const float* norm, float* x, element* normed, float* squares, int count)
{
    extern __shared__ float shared[];
    release_next();
    const int tile = blockIdx.x;
    const int g = threadIdx.x % 32 / 4;
    const Rows rows = { count, (int)blockIdx.y * COLUMNS * 8, 0 };
    const element* w[1][2] = { { weight + (size_t)(tile * 16 + g) * INPUTS, weight + (size_t)(tile * 16 + g + 8) * INPUTS } };
    float sums[1][COLUMNS][4] = {};
    multiply<INPUTS, WARPS, 1, COLUMNS>(sums, w, y, rows);
    share<1, COLUMNS>(shared, sums);
    __syncthreads();
    for (int start = 0; start < 8 * COLUMNS * 8; start += blockDim.x)
    {
        const int i = start + threadIdx.x, pair = i % 8, at = i / 8, row = rows.first + at, output = tile * 16 + 2 * pair;
        const bool there = at < COLUMNS * 8 && row < count;
        float square = 0;
        if (there)
        {
            float* own = x + (size_t)row * HIDDEN + output;
            const float x0 = own[0] + gathered<WARPS, 1, COLUMNS>(shared, 0, 2 * pair, at), x1 = own[1] + gathered<WARPS, 1, COLUMNS>(shared, 0, 2 * pair + 1, at);
            own[0] = x0;
            own[1] = x1;
            normed[(size_t)row * HIDDEN + output] = narrow(x0 * norm[output]);
            normed[(size_t)row * HIDDEN + output + 1] = narrow(x1 * norm[output + 1]);
            square = x0 * x0 + x1 * x1;
        }
        // The 8 lanes of a row are side by side.
        square += __shfl_xor_sync(0xffffffffu, square, 1);
        square += __shfl_xor_sync(0xffffffffu, square, 2);
        square += __shfl_xor_sync(0xffffffffu, square, 4);
        if (there && pair == 0)
            squares[(size_t)row * (HIDDEN / 16) + tile] = square;
    }
}

// SwiGLU: [rows, HIDDEN] -> silu(gate) * up, [rows, INNER]. weight [2 INNER, HIDDEN]: gate, then up; a tile is 8 of each.
// Floor: the weights' bytes at the memory's speed.
template <int TILES, int COLUMNS>
__device__ void gate(const element* x, const float* squares, const element* weight, element* y, int count, float epsilon)
{
    extern __shared__ float shared[];
    __shared__ float scales[COLUMNS * 8];
    release_next();
    const int g = threadIdx.x % 32 / 4;
    const Rows rows = { count, (int)blockIdx.y * COLUMNS * 8, 0 };
    const element* w[TILES][2];
#pragma unroll
    for (int tile = 0; tile < TILES; tile++)
    {
        const int channel = min(((int)blockIdx.x * TILES + tile) * 8, INNER - 8) + g;
        w[tile][0] = weight + (size_t)channel * HIDDEN;
        w[tile][1] = weight + (size_t)(INNER + channel) * HIDDEN;
    }
    float sums[TILES][COLUMNS][4] = {};
    multiply<HIDDEN, WARPS_HIDDEN, TILES, COLUMNS>(sums, w, x, rows);
    share_scales<WARPS_HIDDEN, COLUMNS>(scales, squares, rows, epsilon);
    share<TILES, COLUMNS>(shared, sums);
    __syncthreads();
    for (int i = threadIdx.x; i < TILES * 8 * COLUMNS * 8; i += blockDim.x)
    {
        const int within = i % (TILES * 8), at = i / (TILES * 8), row = rows.first + at, channel = (int)blockIdx.x * TILES * 8 + within;
        if (row >= count || channel >= INNER)
            continue;
        const float gated = gathered<WARPS_HIDDEN, TILES, COLUMNS>(shared, within / 8, within % 8, at) * scales[at];
        const float up = gathered<WARPS_HIDDEN, TILES, COLUMNS>(shared, within / 8, within % 8 + 8, at) * scales[at];
        y[(size_t)row * INNER + channel] = narrow(gated / (1 + __expf(-gated)) * up);
    }
}

// Logits: rows `map` of [.., HIDDEN] -> [count, LOGITS] in 32 bits. Outputs need be no multiple of 16; bias may be null.
// Floor: the weights' bytes at the memory's speed.
template <int COLUMNS>
__device__ void head(const element* x, const float* squares, const int* map, const element* weight, const element* bias, float* logits, int count,
    float epsilon)
{
    extern __shared__ float shared[];
    __shared__ float scales[COLUMNS * 8];
    release_next();
    const int tile = blockIdx.x;
    const int g = threadIdx.x % 32 / 4;
    const element* w[1][2] = { { weight + (size_t)min(tile * 16 + g, LOGITS - 1) * HIDDEN, weight + (size_t)min(tile * 16 + g + 8, LOGITS - 1) * HIDDEN } };
    const Rows rows = { count, (int)blockIdx.y * COLUMNS * 8, map };
    float sums[1][COLUMNS][4] = {};
    multiply<HIDDEN, WARPS_HIDDEN, 1, COLUMNS>(sums, w, x, rows);
    share_scales<WARPS_HIDDEN, COLUMNS>(scales, squares, rows, epsilon);
    share<1, COLUMNS>(shared, sums);
    __syncthreads();
    for (int i = threadIdx.x; i < 16 * COLUMNS * 8; i += blockDim.x)
    {
        const int within = i % 16, at = i / 16, row = rows.first + at, output = tile * 16 + within;
        if (row < count && output < LOGITS)
            logits[(size_t)row * LOGITS + output] =
                gathered<WARPS_HIDDEN, 1, COLUMNS>(shared, 0, within, at) * scales[at] + (bias ? widen(bias[output]) : 0);
    }
}

#define KERNELS(COLUMNS, TILES) \
    extern "C" __global__ void __launch_bounds__(32 * WARPS_HIDDEN) project_##COLUMNS(const element* x, const float* squares, const element* weight, \
        const element* bias, const float* turns, const int* positions, const int* sequences, const int* tables, int table_blocks, float* queries, \
        element* keys, element* values, int count, float epsilon) \
    { \
        project<COLUMNS>(x, squares, weight, bias, turns, positions, sequences, tables, table_blocks, queries, keys, values, count, epsilon); \
    } \
    extern "C" __global__ void __launch_bounds__(32 * WARPS_ATTENDED) add_attended_##COLUMNS(const element* y, const element* weight, \
        const float* norm, float* x, element* normed, float* squares, int count) \
    { \
        add_product<HEADS * HEAD_DIM, WARPS_ATTENDED, COLUMNS>(y, weight, norm, x, normed, squares, count); \
    } \
    extern "C" __global__ void __launch_bounds__(32 * WARPS_INNER) add_gated_##COLUMNS(const element* y, const element* weight, \
        const float* norm, float* x, element* normed, float* squares, int count) \
    { \
        add_product<INNER, WARPS_INNER, COLUMNS>(y, weight, norm, x, normed, squares, count); \
    } \
    extern "C" __global__ void __launch_bounds__(32 * WARPS_HIDDEN, BF16 ? 2 : 1) gate_##COLUMNS(const element* x, const float* squares, \
        const element* weight, element* y, int count, float epsilon) \
    { \
        gate<TILES, COLUMNS>(x, squares, weight, y, count, epsilon); \
    } \
    extern "C" __global__ void __launch_bounds__(32 * WARPS_HIDDEN) head_##COLUMNS(const element* x, const float* squares, const int* map, \
        const element* weight, const element* bias, float* logits, int count, float epsilon) \
    { \
        head<COLUMNS>(x, squares, map, weight, bias, logits, count, epsilon); \
    }

KERNELS(1, 1)
KERNELS(2, 1)
KERNELS(3, 1)
KERNELS(4, 2)
KERNELS(6, 2)
KERNELS(8, 2)
