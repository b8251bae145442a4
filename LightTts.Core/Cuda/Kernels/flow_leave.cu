// The way out of the flow's transformer: the last norm and the product to the velocity.

#if BF16 && HEAD_DIM == 64

constexpr int LEAVE_ROWS = 16, LEAVE_WARPS = 8;
constexpr int LEAVE_PITCH = DIM + 32; // so that 8 lanes' pieces of 16 bytes lie in different banks
constexpr int LEAVE_TILES = MEL / 8;

// h [count, DIM] and two gated branches of it, or none -> (norm of h + gate * branch + gate2 * branch2, * scale + shift) Wᵀ + bias, [count, MEL].
// Both sides of the product are sums of two bfloat16 numbers, which have 16 bits together; weight [2, MEL, DIM]: the larger, then the smaller. A
// block has 16 rows, and a part of the outputs in tiles of 8; a warp an eighth of the inputs, in an order of their own (as at convolve).
template <int TILES>
__device__ __forceinline__ void leave(const float* h, const element* branch, const float* gate, const element* branch2, const float* gate2,
    const float* scale, const float* shift, const element* weight, const float* bias, float* y, int count, float epsilon)
{
    constexpr int WIDTH = TILES * 8;
    extern __shared__ uint4 shared[];
    element* const large = (element*)shared; // [LEAVE_ROWS, LEAVE_PITCH]
    element* const small = large + LEAVE_ROWS * LEAVE_PITCH;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const int first = blockIdx.y * LEAVE_ROWS, output = blockIdx.x * WIDTH;
    release_next();
    wait_for_previous();
    for (int r = warp; r < LEAVE_ROWS; r += LEAVE_WARPS)
    {
        const size_t row = (size_t)min(first + r, count - 1) * DIM;
        float4 x[NORM_EACH], added[NORM_EACH];
        read_row(x, h + row);
        if (branch != nullptr)
        {
            read_row(added, branch + row);
            add_branch(x, added, gate);
            read_row(added, branch2 + row);
            add_branch(x, added, gate2);
        }
        normalise_row(x, scale, shift, epsilon);
#pragma unroll
        for (int i = 0; i < NORM_EACH; i++)
        {
            const int at = r * LEAVE_PITCH + i * 128 + lane * 4;
            const uint2 whole = make_uint2(narrow_pair(x[i].x, x[i].y), narrow_pair(x[i].z, x[i].w));
            *(uint2*)(large + at) = whole;
            *(uint2*)(small + at) = make_uint2(narrow_pair(x[i].x - lower(whole.x), x[i].y - upper(whole.x)),
                narrow_pair(x[i].z - lower(whole.y), x[i].w - upper(whole.y)));
        }
    }
    __syncthreads();
    float sums[TILES][4] = {};
    for (int step = warp; step < DIM / 32; step += LEAVE_WARPS)
    {
        const int input = step * 32 + t * 8;
        const uint4 a0 = *(const uint4*)(large + g * LEAVE_PITCH + input), a1 = *(const uint4*)(large + (g + 8) * LEAVE_PITCH + input);
        const uint4 c0 = *(const uint4*)(small + g * LEAVE_PITCH + input), c1 = *(const uint4*)(small + (g + 8) * LEAVE_PITCH + input);
#pragma unroll
        for (int n = 0; n < TILES; n++)
        {
            const element* const w = weight + (size_t)(output + n * 8 + g) * DIM + input;
            const uint4 b = __ldg((const uint4*)w), d = __ldg((const uint4*)(w + (size_t)MEL * DIM));
            multiply_add(sums[n], c0.x, c1.x, c0.y, c1.y, b.x, b.y);
            multiply_add(sums[n], c0.z, c1.z, c0.w, c1.w, b.z, b.w);
            multiply_add(sums[n], a0.x, a1.x, a0.y, a1.y, d.x, d.y);
            multiply_add(sums[n], a0.z, a1.z, a0.w, a1.w, d.z, d.w);
            multiply_add(sums[n], a0.x, a1.x, a0.y, a1.y, b.x, b.y);
            multiply_add(sums[n], a0.z, a1.z, a0.w, a1.w, b.z, b.w);
        }
    }
    __syncthreads(); // nobody reads the rows
    float* const parts = (float*)shared; // [LEAVE_WARPS][LEAVE_ROWS, WIDTH]
#pragma unroll
    for (int n = 0; n < TILES; n++)
#pragma unroll
        for (int half = 0; half < 2; half++)
            *(float2*)(parts + (warp * LEAVE_ROWS + g + 8 * half) * WIDTH + n * 8 + 2 * t) = make_float2(sums[n][2 * half], sums[n][2 * half + 1]);
    __syncthreads();
    for (int i = threadIdx.x; i < LEAVE_ROWS * WIDTH; i += 32 * LEAVE_WARPS)
    {
        float sum = bias[output + i % WIDTH];
#pragma unroll
        for (int part = 0; part < LEAVE_WARPS; part++)
            sum += parts[part * LEAVE_ROWS * WIDTH + i];
        if (first + i / WIDTH < count)
            y[(size_t)(first + i / WIDTH) * MEL + output + i % WIDTH] = sum;
    }
}

#define LEAVE(NAME, TILES) \
    extern "C" __global__ void __launch_bounds__(32 * LEAVE_WARPS, 2) flow_leave_##NAME(const float* h, const element* branch, const float* gate, \
        const element* branch2, const float* gate2, const float* scale, const float* shift, const element* weight, const float* bias, float* y, \
        int count, float epsilon) \
    { \
        leave<TILES>(h, branch, gate, branch2, gate2, scale, shift, weight, bias, y, count, epsilon); \
    }

LEAVE(all, LEAVE_TILES)
LEAVE(half, LEAVE_TILES % 2 == 0 ? LEAVE_TILES / 2 : LEAVE_TILES)
LEAVE(tile, 1)

#endif
