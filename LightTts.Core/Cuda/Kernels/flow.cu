// What stands around the matrix products of the flow's diffusion transformer. DIM: its width, of which HEAD_DIM numbers are a head's. A block a row.

constexpr int NORM_THREADS = 256;
constexpr int NORM_EACH = (DIM + NORM_THREADS - 1) / NORM_THREADS;

// The sum of a number of every thread, for all of them.
__device__ __forceinline__ float sum_of_block(float own, float* shared)
{
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
        own += __shfl_xor_sync(0xffffffffu, own, distance);
    if (threadIdx.x % 32 == 0)
        shared[threadIdx.x / 32] = own;
    __syncthreads();
    float sum = 0;
#pragma unroll
    for (int warp = 0; warp < NORM_THREADS / 32; warp++)
        sum += shared[warp];
    return sum;
}

// The row's numbers, thread by thread -> (x - mean) / deviation * scale + shift.
__device__ __forceinline__ void normalise_row(const float (&x)[NORM_EACH], const float* scale, const float* shift, element* y, float epsilon)
{
    __shared__ float sums[NORM_THREADS / 32], squares[NORM_THREADS / 32];
    float own = 0;
#pragma unroll
    for (int i = 0; i < NORM_EACH; i++)
        own += x[i]; // zeros beyond the row
    const float mean = sum_of_block(own, sums) / DIM;
    own = 0;
#pragma unroll
    for (int i = 0; i < NORM_EACH; i++)
        if (threadIdx.x + i * NORM_THREADS < DIM)
            own += (x[i] - mean) * (x[i] - mean);
    const float inverse = rsqrtf(sum_of_block(own, squares) / DIM + epsilon);
#pragma unroll
    for (int i = 0; i < NORM_EACH; i++)
    {
        const int at = threadIdx.x + i * NORM_THREADS;
        if (at < DIM)
            y[(size_t)blockIdx.x * DIM + at] = narrow((x[i] - mean) * inverse * scale[at] + shift[at]);
    }
}

// h [rows, DIM] -> y [rows, DIM].
extern "C" __global__ void __launch_bounds__(NORM_THREADS) flow_normalise(const float* h, const float* scale, const float* shift, element* y,
    float epsilon)
{
    float x[NORM_EACH];
    release_next();
    wait_for_previous();
#pragma unroll
    for (int i = 0; i < NORM_EACH; i++)
    {
        const int at = threadIdx.x + i * NORM_THREADS;
        x[i] = at < DIM ? h[(size_t)blockIdx.x * DIM + at] : 0;
    }
    normalise_row(x, scale, shift, y, epsilon);
}

// h += gate * branch, then as above.
extern "C" __global__ void __launch_bounds__(NORM_THREADS) flow_add_normalise(float* h, const element* branch, const float* gate, const float* scale,
    const float* shift, element* y, float epsilon)
{
    float x[NORM_EACH];
    release_next();
    wait_for_previous();
#pragma unroll
    for (int i = 0; i < NORM_EACH; i++)
    {
        const int at = threadIdx.x + i * NORM_THREADS;
        const size_t place = (size_t)blockIdx.x * DIM + at;
        x[i] = 0;
        if (at < DIM)
            h[place] = x[i] = h[place] + widen(branch[place]) * gate[at];
    }
    normalise_row(x, scale, shift, y, epsilon);
}

// qkv [2 frames, 3 DIM]: turns the first head of queries and keys, pair by pair, the queries where they lie; keys and values go to the rows of pages
// [*, 2 DIM] that places says, or, where there are no pages, stay where they are. turns [frames, HEAD_DIM]: cosine and sine of each pair.
extern "C" __global__ void __launch_bounds__(256) flow_turn(element* qkv, const float* turns, int frames, element* pages, const long long* places)
{
    release_next();
    wait_for_previous();
    element* row = qkv + (size_t)blockIdx.x * (3 * DIM);
    const float* turn = turns + (size_t)(blockIdx.x % frames) * HEAD_DIM;
    element* kept = pages != nullptr ? pages + (size_t)places[blockIdx.x] * (2 * DIM) : row + DIM;
    for (int at = 2 * threadIdx.x; at < 2 * DIM; at += 2 * blockDim.x)
    {
        element first = row[DIM + at], second = row[DIM + at + 1];
        if (at < HEAD_DIM)
        {
            const float cosine = turn[at], sine = turn[at + 1];
            const float k0 = widen(first), k1 = widen(second), q0 = widen(row[at]), q1 = widen(row[at + 1]);
            first = narrow(k0 * cosine - k1 * sine);
            second = narrow(k0 * sine + k1 * cosine);
            row[at] = narrow(q0 * cosine - q1 * sine);
            row[at + 1] = narrow(q0 * sine + q1 * cosine);
        }
        kept[at] = first;
        kept[at + 1] = second;
    }
}

#if BF16 && HEAD_DIM == 64

constexpr int TILE = 64;  // keys that are looked at together
constexpr int PITCH = 72; // numbers from one row of a tile to the next, so that a fragment's words lie in different banks

__device__ __forceinline__ u32 pair(float first, float second) { return (u32)to_bf16(first) | (u32)to_bf16(second) << 16; }

// Attention over pages: queries of qkv [2 rows frames, 3 DIM], keys and values in the rows of pages [*, 2 DIM] that keys [2 rows, key_count] says, of
// which a block sees the first seen[row] -> y [2 rows frames, DIM]. A block for a head of a block of frames, a warp for 16 of its queries; softmax as
// it goes. Fragments as at multiply_add: the scores' are the second product's left side as they are.
extern "C" __global__ void __launch_bounds__(128) flow_attend(const element* qkv, const element* pages, const long long* keys, const long long* seen,
    int rows, int frames, int key_count, element* y)
{
    __shared__ uint4 shared[2 * TILE * PITCH / 8];
    element* const k_tile = (element*)shared;         // [key, number]
    element* const v_tile = k_tile + TILE * PITCH;    // [number, key]
    release_next();
    wait_for_previous();
    const int head = blockIdx.x, block = blockIdx.y, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const int first = blockIdx.z * 64 + threadIdx.x / 32 * 16;
    const long long* own = keys + (size_t)block * key_count;
    const int limit = (int)seen[block % rows];

    u32 q[4][4];
#pragma unroll
    for (int k = 0; k < 4; k++)
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            const int frame = first + g + i % 2 * 8, at = head * HEAD_DIM + k * 16 + 2 * t + i / 2 * 8;
            q[k][i] = frame < frames ? *(const u32*)(qkv + ((size_t)block * frames + frame) * (3 * DIM) + at) : 0;
        }

    // A tile ahead, in registers. Of keys eight threads read one; of values each reads a part of its own, so that turning them round meets no bank
    // twice.
    uint4 k_next[4], v_next[4];
    auto load = [&](int tile)
    {
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            const int item = threadIdx.x + i * 128, k_key = tile + item / 8, v_key = tile + item % 64;
            k_next[i] = v_next[i] = make_uint4(0, 0, 0, 0);
            if (k_key < limit)
                k_next[i] = *(const uint4*)(pages + (size_t)own[k_key] * (2 * DIM) + head * HEAD_DIM + item % 8 * 8);
            if (v_key < limit)
                v_next[i] = *(const uint4*)(pages + (size_t)own[v_key] * (2 * DIM) + DIM + head * HEAD_DIM + item / 64 * 8);
        }
    };

    float o[8][4] = {}, highest[2] = {-INFINITY, -INFINITY}, sum[2] = {};
    load(0);
    for (int tile = 0; tile < limit; tile += TILE)
    {
        __syncthreads();
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            const int item = threadIdx.x + i * 128;
            *(uint4*)(k_tile + item / 8 * PITCH + item % 8 * 8) = k_next[i];
            const u32 words[4] = {v_next[i].x, v_next[i].y, v_next[i].z, v_next[i].w};
#pragma unroll
            for (int w = 0; w < 4; w++)
            {
                v_tile[(item / 64 * 8 + 2 * w) * PITCH + item % 64] = (u16)words[w];
                v_tile[(item / 64 * 8 + 2 * w + 1) * PITCH + item % 64] = (u16)(words[w] >> 16);
            }
        }
        __syncthreads();
        if (tile + TILE < limit)
            load(tile + TILE);

        float s[8][4] = {};
#pragma unroll
        for (int n = 0; n < 8; n++)
#pragma unroll
            for (int k = 0; k < 4; k++)
            {
                const element* b = k_tile + (n * 8 + g) * PITCH + k * 16 + 2 * t;
                multiply_add(s[n], q[k][0], q[k][1], q[k][2], q[k][3], *(const u32*)b, *(const u32*)(b + 8));
            }
#pragma unroll
        for (int half = 0; half < 2; half++) // rows g and g + 8
        {
            float top = highest[half];
#pragma unroll
            for (int n = 0; n < 8; n++)
#pragma unroll
                for (int e = 0; e < 2; e++)
                {
                    float& score = s[n][2 * half + e];
                    // 1 / sqrt(64), in powers of 2
                    score = tile + n * 8 + 2 * t + e < limit ? score * (0.125f * 1.4426950408889634f) : -INFINITY;
                    top = fmaxf(top, score);
                }
            top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 1));
            top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 2));
            const float kept = exp2f(highest[half] - top);
            highest[half] = top;
            sum[half] *= kept;
#pragma unroll
            for (int n = 0; n < 8; n++)
#pragma unroll
                for (int e = 0; e < 2; e++)
                {
                    o[n][2 * half + e] *= kept;
                    sum[half] += s[n][2 * half + e] = exp2f(s[n][2 * half + e] - top);
                }
        }
#pragma unroll
        for (int k = 0; k < 4; k++)
        {
            const float(&low)[4] = s[2 * k], (&high)[4] = s[2 * k + 1];
            const u32 a0 = pair(low[0], low[1]), a1 = pair(low[2], low[3]), a2 = pair(high[0], high[1]), a3 = pair(high[2], high[3]);
#pragma unroll
            for (int n = 0; n < 8; n++)
            {
                const element* b = v_tile + (n * 8 + g) * PITCH + k * 16 + 2 * t;
                multiply_add(o[n], a0, a1, a2, a3, *(const u32*)b, *(const u32*)(b + 8));
            }
        }
    }

#pragma unroll
    for (int half = 0; half < 2; half++)
    {
        const int frame = first + g + 8 * half;
        sum[half] += __shfl_xor_sync(0xffffffffu, sum[half], 1);
        sum[half] += __shfl_xor_sync(0xffffffffu, sum[half], 2);
        const float inverse = 1 / sum[half];
        if (frame < frames)
#pragma unroll
            for (int n = 0; n < 8; n++)
                *(u32*)(y + ((size_t)block * frames + frame) * DIM + head * HEAD_DIM + n * 8 + 2 * t) =
                    pair(o[n][2 * half] * inverse, o[n][2 * half + 1] * inverse);
    }
}

#endif
