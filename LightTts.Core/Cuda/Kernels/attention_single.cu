// Attention of single queries in 32 bits over the pages of their sequences: a block takes a row's query heads that share a key head, in rounds of
// SPAN positions, with running maxima (flash attention). Rows of a prompt are rows like others, each with its own position. What a round is depends
// on positions alone: a row gets the same bits in any company.
// queries [rows, HEADS, HEAD_DIM] in 32 bits; pages [block, KV_HEADS, PAGE, HEAD_DIM]; y [rows, HEADS * HEAD_DIM].
// Floor: the sequences' keys and values, once, at the memory's speed.

#if !BF16
#define SPAN 256
#define GROUP (HEADS / KV_HEADS)

// Eight numbers of a page.
struct Eight
{
    float4 first, second;
};

__device__ __forceinline__ Eight load_eight(const element* address)
{
    return { *(const float4*)address, *(const float4*)(address + 4) };
}

__device__ __forceinline__ void widen_eight(float (&v)[8], const Eight& eight)
{
    v[0] = eight.first.x, v[1] = eight.first.y, v[2] = eight.first.z, v[3] = eight.first.w;
    v[4] = eight.second.x, v[5] = eight.second.y, v[6] = eight.second.z, v[7] = eight.second.w;
}

extern "C" __global__ void __launch_bounds__(SPAN) attend(const float* queries, const element* keys, const element* values, const int* positions,
    const int* sequences, const int* tables, int table_blocks, element* y, float scale, int)
{
    constexpr int SLICES = HEAD_DIM / 8;       // lanes that share a value's row
    constexpr int STRIDES = SPAN / SLICES;     // positions side by side
    constexpr int WARPS = SPAN / 32;
    __shared__ __align__(16) float q[GROUP][HEAD_DIM];
    __shared__ float weights[GROUP][SPAN];
    __shared__ float peaks[GROUP], totals[GROUP], shrinks[GROUP];
    __shared__ float sums[WARPS][GROUP][HEAD_DIM];
    release_next();
    wait_for_previous();
    const int row = blockIdx.x, kv = blockIdx.y, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int* table = tables + (size_t)sequences[row] * table_blocks;
    const int length = positions[row] + 1;
    for (int i = threadIdx.x; i < GROUP * HEAD_DIM; i += SPAN)
        q[i / HEAD_DIM][i % HEAD_DIM] = queries[(size_t)row * (HEADS * HEAD_DIM) + kv * GROUP * HEAD_DIM + i] * scale;
    if (threadIdx.x < GROUP)
    {
        peaks[threadIdx.x] = -INFINITY;
        totals[threadIdx.x] = 0;
    }
    // A lane takes 8 numbers of every STRIDES-th position, of keys and of values alike: the lanes of a position read one line of memory.
    const int slice = threadIdx.x % SLICES * 8;
    float sum[GROUP][8];
#pragma unroll
    for (int h = 0; h < GROUP; h++)
#pragma unroll
        for (int i = 0; i < 8; i++)
            sum[h][i] = 0;
    __syncthreads();
    for (int first = 0; first < length; first += SPAN)
    {
        const int here = min(SPAN, length - first);
        const element* place[SLICES];
        Eight loaded[SLICES];
#pragma unroll
        for (int i = 0; i < SLICES; i++)
        {
            const int position = first + min((int)threadIdx.x / SLICES + i * STRIDES, here - 1);
            const size_t at = (((size_t)table[position / PAGE] * KV_HEADS + kv) * PAGE + position % PAGE) * HEAD_DIM + slice;
            loaded[i] = load_eight(keys + at);
            place[i] = values + at;
        }
        float score[SLICES][GROUP];
#pragma unroll
        for (int h = 0; h < GROUP; h++)
        {
            const float4 q0 = *(const float4*)&q[h][slice], q1 = *(const float4*)&q[h][slice + 4];
#pragma unroll
            for (int i = 0; i < SLICES; i++)
            {
                float k[8];
                widen_eight(k, loaded[i]);
                score[i][h] = q0.x * k[0] + q0.y * k[1] + q0.z * k[2] + q0.w * k[3] + q1.x * k[4] + q1.y * k[5] + q1.z * k[6] + q1.w * k[7];
            }
        }
#pragma unroll
        for (int i = 0; i < SLICES; i++)
            loaded[i] = load_eight(place[i]); // the values, which are under way while the scores are made into weights
        // The lanes of a position add up their parts, each for fewer and fewer of the positions, until it has the whole of its own.
#pragma unroll
        for (int h = 0; h < GROUP; h++)
#pragma unroll
            for (int width = SLICES / 2; width > 0; width /= 2)
            {
                const bool is_upper = threadIdx.x & width;
#pragma unroll
                for (int i = 0; i < width; i++)
                {
                    const float given = is_upper ? score[i][h] : score[i + width][h], kept = is_upper ? score[i + width][h] : score[i][h];
                    score[i][h] = kept + __shfl_xor_sync(0xffffffffu, given, width);
                }
            }
        const int mine = threadIdx.x / SLICES + threadIdx.x % SLICES * STRIDES;
        __syncthreads(); // nobody reads the weights of the round before
#pragma unroll
        for (int h = 0; h < GROUP; h++)
            weights[h][mine] = mine < here ? score[0][h] : -INFINITY;
        __syncthreads();
        for (int h = warp; h < GROUP; h += WARPS)
        {
            const float before = peaks[h];
            float own[SPAN / 32], peak = before;
#pragma unroll
            for (int i = 0; i < SPAN / 32; i++)
            {
                own[i] = weights[h][lane + i * 32];
                peak = fmaxf(peak, own[i]); // leaves out what is not a number: that shows in the sum
            }
#pragma unroll
            for (int distance = 16; distance > 0; distance /= 2)
                peak = fmaxf(peak, __shfl_xor_sync(0xffffffffu, peak, distance));
            float total = 0;
#pragma unroll
            for (int i = 0; i < SPAN / 32; i++)
            {
                own[i] = lane + i * 32 < here ? __expf(own[i] - peak) : 0;
                weights[h][lane + i * 32] = own[i];
                total += own[i];
            }
#pragma unroll
            for (int distance = 16; distance > 0; distance /= 2)
                total += __shfl_xor_sync(0xffffffffu, total, distance);
            __syncwarp();
            if (lane == 0)
            {
                const float shrink = first == 0 ? 0 : __expf(before - peak);
                peaks[h] = peak;
                shrinks[h] = shrink;
                totals[h] = first == 0 ? total : totals[h] * shrink + total;
            }
        }
        __syncthreads();
#pragma unroll
        for (int h = 0; h < GROUP; h++)
        {
            const float shrink = shrinks[h];
#pragma unroll
            for (int i = 0; i < 8; i++)
                sum[h][i] *= shrink;
        }
#pragma unroll
        for (int i = 0; i < SLICES; i++)
        {
            const int at = threadIdx.x / SLICES + i * STRIDES;
            if (at >= here)
                break;
            float v[8];
            widen_eight(v, loaded[i]);
#pragma unroll
            for (int h = 0; h < GROUP; h++)
#pragma unroll
                for (int j = 0; j < 8; j++)
                    sum[h][j] += weights[h][at] * v[j];
        }
    }
#pragma unroll
    for (int h = 0; h < GROUP; h++)
#pragma unroll
        for (int i = 0; i < 8; i++)
        {
#pragma unroll
            for (int distance = SLICES; distance < 32; distance *= 2)
                sum[h][i] += __shfl_xor_sync(0xffffffffu, sum[h][i], distance);
            if (lane < SLICES)
                sums[warp][h][slice + i] = sum[h][i];
        }
    __syncthreads();
    for (int i = threadIdx.x; i < GROUP * HEAD_DIM; i += SPAN)
    {
        const int h = i / HEAD_DIM, d = i % HEAD_DIM;
        float whole = 0;
#pragma unroll
        for (int w = 0; w < WARPS; w++)
            whole += sums[w][h][d];
        // A row that is not there sees nothing.
        y[(size_t)row * (HEADS * HEAD_DIM) + kv * GROUP * HEAD_DIM + i] = narrow(length > 0 ? whole / totals[h] : 0);
    }
}
#endif
