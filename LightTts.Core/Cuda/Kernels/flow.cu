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

// qkv [2 frames, 3 DIM]: turns the first head of queries and keys, pair by pair, the queries where they lie; keys and values go to the pages
// [*, 2 DIM], a block's own at the last of its `columns` places, or, where there are no pages, stay where they are. turns [frames, HEAD_DIM]: cosine
// and sine of each pair. FRAMES: frames of a page.
extern "C" __global__ void __launch_bounds__(256) flow_turn(element* qkv, const float* turns, int frames, element* pages, const long long* places,
    int columns)
{
    release_next();
    wait_for_previous();
    const int frame = blockIdx.x % frames;
    element* row = qkv + (size_t)blockIdx.x * (3 * DIM);
    element* kept = row + DIM;
    if (pages != nullptr)
        kept = pages + ((size_t)places[(size_t)(frame / FRAMES) * columns + columns - 1] + blockIdx.x / frames * FRAMES + frame % FRAMES) * (2 * DIM);
    const float* turn = turns + (size_t)frame * HEAD_DIM;
    for (int at = 2 * threadIdx.x; at < HEAD_DIM; at += 2 * blockDim.x)
    {
        const float cosine = turn[at], sine = turn[at + 1];
        const float k0 = widen(row[DIM + at]), k1 = widen(row[DIM + at + 1]), q0 = widen(row[at]), q1 = widen(row[at + 1]);
        kept[at] = narrow(k0 * cosine - k1 * sine);
        kept[at + 1] = narrow(k0 * sine + k1 * cosine);
        row[at] = narrow(q0 * cosine - q1 * sine);
        row[at + 1] = narrow(q0 * sine + q1 * cosine);
    }
    if (pages == nullptr)
        return;
    constexpr int PIECE = 16 / sizeof(element); // numbers that are moved together
    for (int at = HEAD_DIM + threadIdx.x * PIECE; at < 2 * DIM; at += blockDim.x * PIECE)
        *(uint4*)(kept + at) = *(const uint4*)(row + DIM + at);
}
