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

#if BF16
// Up to DEPTH pieces of the weights of 16 outputs are under way at a time.
template <int TILES, int COLUMNS, int DEPTH>
__device__ __forceinline__ void load_pieces(uint4 (&a)[DEPTH][TILES][2], const element* const (&w)[TILES][2], int piece, int pieces, int warps)
{
#pragma unroll
    for (int d = 0; d < DEPTH; d++)
    {
        int at = piece + d * warps;
        if (at < pieces)
        {
#pragma unroll
            for (int tile = 0; tile < TILES; tile++)
            {
                a[d][tile][0] = load_weights(w[tile][0] + at * CHUNK);
                a[d][tile][1] = load_weights(w[tile][1] + at * CHUNK);
            }
        }
    }
}

// The sums of the calling warp's pieces.
template <int TILES, int COLUMNS>
__device__ __forceinline__ void multiply(float (&sums)[TILES][COLUMNS][4], const element* const (&weights)[TILES][2], const element* x, int inputs,
    const Rows& rows)
{
    constexpr int DEPTH = COLUMNS * TILES <= 2 ? 4 : COLUMNS * TILES <= 8 ? 2 : 1;
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32, pieces = inputs / CHUNK;
    const int g = lane / 4, offset = lane % 4 * 8;
    const element* w[TILES][2];
#pragma unroll
    for (int tile = 0; tile < TILES; tile++)
    {
        w[tile][0] = weights[tile][0] + offset;
        w[tile][1] = weights[tile][1] + offset;
    }
    uint4 a[DEPTH][TILES][2];
    load_pieces<TILES, COLUMNS, DEPTH>(a, w, warp, pieces, warps);
    wait_for_previous();

    // 32 bits for each row's place, as registers decide how many blocks a processor holds.
    u32 row[COLUMNS];
#pragma unroll
    for (int column = 0; column < COLUMNS; column++)
    {
        int r = rows.first + column * 8 + g;
        row[column] = (u32)(rows.map ? rows.map[min(r, rows.count - 1)] : r) * inputs + offset;
    }
    for (int piece = warp; piece < pieces; piece += DEPTH * warps)
    {
        uint4 next[DEPTH][TILES][2];
        load_pieces<TILES, COLUMNS, DEPTH>(next, w, piece + DEPTH * warps, pieces, warps);
#pragma unroll
        for (int d = 0; d < DEPTH; d++)
        {
            int at = piece + d * warps;
            if (at >= pieces)
                break;
#pragma unroll
            for (int column = 0; column < COLUMNS; column++)
            {
                uint4 b = *(const uint4*)(x + row[column] + at * CHUNK);
#pragma unroll
                for (int tile = 0; tile < TILES; tile++)
                {
                    uint4 a0 = a[d][tile][0], a1 = a[d][tile][1];
                    multiply_add(sums[tile][column], a0.x, a1.x, a0.y, a1.y, b.x, b.y);
                    multiply_add(sums[tile][column], a0.z, a1.z, a0.w, a1.w, b.z, b.w);
                }
            }
        }
#pragma unroll
        for (int d = 0; d < DEPTH; d++)
#pragma unroll
            for (int tile = 0; tile < TILES; tile++)
            {
                a[d][tile][0] = next[d][tile][0];
                a[d][tile][1] = next[d][tile][1];
            }
    }
}
#else
// The same in 32 bits on the ordinary units: a lane sums its own inputs for all 8 rows of a column, and the 4 lanes of a row add theirs at the end.
template <int TILES, int COLUMNS>
__device__ __forceinline__ void multiply(float (&sums)[TILES][COLUMNS][4], const element* const (&weights)[TILES][2], const element* x, int inputs,
    const Rows& rows)
{
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32, pieces = inputs / CHUNK;
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
            row[i] = x + (size_t)(rows.map ? rows.map[min(r, rows.count - 1)] : r) * inputs + offset;
        }
        for (int piece = warp; piece < pieces; piece += warps)
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
template <int TILES, int COLUMNS>
__device__ __forceinline__ float gathered(const float* shared, int tile, int output, int row)
{
    float sum = 0;
    for (int warp = 0; warp < blockDim.x / 32; warp++)
        sum += shared[((warp * TILES + tile) * 16 + output) * STRIDE(COLUMNS) + row];
    return sum;
}

// 1 / rms of the rows of this block, from the sums of squares [row][HIDDEN / 16], into shared memory.
template <int COLUMNS>
__device__ __forceinline__ void share_scales(float* scales, const float* squares, const Rows& rows, float epsilon)
{
    const int lane = threadIdx.x % 32, warps = blockDim.x / 32;
    for (int i = threadIdx.x / 32; i < COLUMNS * 8; i += warps)
    {
        float sum = 0;
        int row = rows.first + i;
        if (row < rows.count)
        {
            const float* own = squares + (size_t)(rows.map ? rows.map[row] : row) * (HIDDEN / 16);
            for (int part = lane; part < HIDDEN / 16; part += 32)
                sum += own[part];
        }
#pragma unroll
        for (int distance = 16; distance > 0; distance /= 2)
            sum += __shfl_xor_sync(0xffffffffu, sum, distance);
        if (lane == 0)
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
    multiply<1, COLUMNS>(sums, w, x, HIDDEN, rows);
    share_scales<COLUMNS>(scales, squares, rows, epsilon);
    share<1, COLUMNS>(shared, sums);
    __syncthreads();
    for (int i = threadIdx.x; i < 8 * COLUMNS * 8; i += blockDim.x)
    {
        const int pair = i % 8, at = i / 8, row = rows.first + at;
        if (row >= count)
            continue;
        const int output = tile * 16 + 2 * pair, position = positions[row];
        float y0 = gathered<1, COLUMNS>(shared, 0, 2 * pair, at) * scales[at] + widen(bias[output]);
        float y1 = gathered<1, COLUMNS>(shared, 0, 2 * pair + 1, at) * scales[at] + widen(bias[output + 1]);
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

// The residual stream: x [rows, HIDDEN] += W y for y [rows, inputs], with what the next product asks for: x * norm, and sums of squares.
// Floor: the weights' bytes at the memory's speed.
template <int COLUMNS>
__device__ void add_product(const element* y, int inputs, const element* weight, const float* norm, float* x, element* normed, float* squares, int count)
{
    extern __shared__ float shared[];
    release_next();
    const int tile = blockIdx.x;
    const int g = threadIdx.x % 32 / 4;
    const Rows rows = { count, (int)blockIdx.y * COLUMNS * 8, 0 };
    const element* w[1][2] = { { weight + (size_t)(tile * 16 + g) * inputs, weight + (size_t)(tile * 16 + g + 8) * inputs } };
    float sums[1][COLUMNS][4] = {};
    multiply<1, COLUMNS>(sums, w, y, inputs, rows);
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
            const float x0 = own[0] + gathered<1, COLUMNS>(shared, 0, 2 * pair, at), x1 = own[1] + gathered<1, COLUMNS>(shared, 0, 2 * pair + 1, at);
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
    multiply<TILES, COLUMNS>(sums, w, x, HIDDEN, rows);
    share_scales<COLUMNS>(scales, squares, rows, epsilon);
    share<TILES, COLUMNS>(shared, sums);
    __syncthreads();
    for (int i = threadIdx.x; i < TILES * 8 * COLUMNS * 8; i += blockDim.x)
    {
        const int within = i % (TILES * 8), at = i / (TILES * 8), row = rows.first + at, channel = (int)blockIdx.x * TILES * 8 + within;
        if (row >= count || channel >= INNER)
            continue;
        const float gated = gathered<TILES, COLUMNS>(shared, within / 8, within % 8, at) * scales[at];
        const float up = gathered<TILES, COLUMNS>(shared, within / 8, within % 8 + 8, at) * scales[at];
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
    multiply<1, COLUMNS>(sums, w, x, HIDDEN, rows);
    share_scales<COLUMNS>(scales, squares, rows, epsilon);
    share<1, COLUMNS>(shared, sums);
    __syncthreads();
    for (int i = threadIdx.x; i < 16 * COLUMNS * 8; i += blockDim.x)
    {
        const int within = i % 16, at = i / 16, row = rows.first + at, output = tile * 16 + within;
        if (row < count && output < LOGITS)
            logits[(size_t)row * LOGITS + output] =
                gathered<1, COLUMNS>(shared, 0, within, at) * scales[at] + (bias ? widen(bias[output]) : 0);
    }
}

#if BF16
#define MANY_THREADS 640
#define GATE_BLOCKS 2
#else
#define MANY_THREADS 256
#define GATE_BLOCKS 1
#endif

#define KERNELS(COLUMNS, TILES) \
    extern "C" __global__ void __launch_bounds__(256) project_##COLUMNS(const element* x, const float* squares, const element* weight, \
        const element* bias, const float* turns, const int* positions, const int* sequences, const int* tables, int table_blocks, float* queries, \
        element* keys, element* values, int count, float epsilon) \
    { \
        project<COLUMNS>(x, squares, weight, bias, turns, positions, sequences, tables, table_blocks, queries, keys, values, count, epsilon); \
    } \
    extern "C" __global__ void __launch_bounds__(MANY_THREADS) add_product_##COLUMNS(const element* y, int inputs, const element* weight, \
        const float* norm, float* x, element* normed, float* squares, int count) \
    { \
        add_product<COLUMNS>(y, inputs, weight, norm, x, normed, squares, count); \
    } \
    extern "C" __global__ void __launch_bounds__(256, GATE_BLOCKS) gate_##COLUMNS(const element* x, const float* squares, const element* weight, element* y, \
        int count, float epsilon) \
    { \
        gate<TILES, COLUMNS>(x, squares, weight, y, count, epsilon); \
    } \
    extern "C" __global__ void __launch_bounds__(256) head_##COLUMNS(const element* x, const float* squares, const int* map, const element* weight, \
        const element* bias, float* logits, int count, float epsilon) \
    { \
        head<COLUMNS>(x, squares, map, weight, bias, logits, count, epsilon); \
    }

KERNELS(1, 1)
KERNELS(2, 1)
KERNELS(3, 1)
KERNELS(4, 2)
KERNELS(6, 2)
KERNELS(8, 2)
