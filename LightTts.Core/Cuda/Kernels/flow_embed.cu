// The way into the flow's transformer: the noisy mel's projection, then two causal grouped convolutions of it, in bfloat16 on the tensor cores. MEL:
// bands of the mel. What the convolutions see is kept in pages [*, 2 DIM], the second's behind the first's, or, where there are none, in buffers.

#if BF16 && HEAD_DIM == 64

constexpr int CONV_TAIL = 30;           // frames before its own that a convolution sees
constexpr int CONV_TAPS = 32;           // with one more, whose weights are zeros
constexpr int CONV_GROUP = DIM / 16;    // channels of a group
constexpr int CONV_INPUTS = CONV_TAPS * CONV_GROUP;
constexpr int CONV_OUTPUTS = 32;        // of a block
constexpr int CONV_WIDTH = CONV_GROUP > CONV_OUTPUTS ? CONV_GROUP : CONV_OUTPUTS; // channels that a block's outputs see
constexpr int CONV_SETS = CONV_WIDTH / CONV_GROUP;                // groups of a block
constexpr int CONV_PITCH = 96 + (CONV_WIDTH > 64 ? 64 : 0);       // so that 8 lanes' words lie in different banks

// Where the frames of blocks lie. values: a row is `stride` numbers.
struct Frames
{
    element* values;
    int stride;
    const long long* places; // [rows, columns]: the last is where a block's own page begins, the one before it that of the frames before; null: one
                             // block after the other, with zeros before it
    int columns, rows, frames;

    // Null: zeros.
    __device__ __forceinline__ element* at(int block, int frame) const
    {
        if (places == nullptr)
            return frame < 0 ? nullptr : values + ((size_t)block * frames + frame) * stride;
        const long long place = places[(size_t)(block % rows) * columns + columns - (frame < 0 ? 2 : 1)];
        return values + ((size_t)place + block / rows * FRAMES + (frame < 0 ? FRAMES + frame : frame)) * stride;
    }
};

// mel [rows frames, MEL], weight [MEL / 4, DIM, 4], constant [2 rows frames, DIM] -> h = mel W + constant, and the same where the first convolution
// sees it. A lane for an output, whose weights it keeps; EACH frames a block.
template <int EACH>
__device__ __forceinline__ void embed(const float* mel, const float* weight, const float* constant, float* h, const Frames& own)
{
    __shared__ float4 x[EACH][MEL / 4];
    const int output = blockIdx.x * 128 + threadIdx.x, first = blockIdx.y * EACH, count = own.rows * own.frames;
    float4 w[MEL / 4];
#pragma unroll
    for (int i = 0; i < MEL / 4; i++)
        w[i] = *(const float4*)(weight + ((size_t)i * DIM + output) * 4);
    wait_for_previous();
    release_next(); // not before: what follows reads the step's modulation and places ahead of its own wait
    for (int i = threadIdx.x; i < EACH * (MEL / 4); i += 128)
        x[i / (MEL / 4)][i % (MEL / 4)] = first + i / (MEL / 4) < count ? *(const float4*)(mel + (size_t)first * MEL + i * 4) : float4 {};
    __syncthreads();
    constexpr int TOGETHER = 4; // frames whose constants are under way at once
    for (int i = 0; i < EACH && first + i < count; i += TOGETHER)
    {
        float constants[TOGETHER][2];
#pragma unroll
        for (int each = 0; each < TOGETHER; each++)
#pragma unroll
            for (int guidance = 0; guidance < 2; guidance++)
                constants[each][guidance] = constant[(size_t)(guidance * count + min(first + i + each, count - 1)) * DIM + output];
#pragma unroll
        for (int each = 0; each < TOGETHER; each++)
        {
            const int row = first + i + each;
            float sum = 0;
#pragma unroll
            for (int band = 0; band < MEL / 4; band++)
            {
                const float4 m = x[i + each][band];
                sum += m.x * w[band].x + m.y * w[band].y + m.z * w[band].z + m.w * w[band].w;
            }
            if (row >= count)
                break;
#pragma unroll
            for (int guidance = 0; guidance < 2; guidance++)
            {
                const float y = sum + constants[each][guidance];
                h[(size_t)(guidance * count + row) * DIM + output] = y;
                own.at(guidance * own.rows + row / own.frames, row % own.frames)[output] = to_bf16(y);
            }
        }
    }
}

#define EMBED(EACH) \
    extern "C" __global__ void __launch_bounds__(128) flow_embed_##EACH(const float* mel, const float* weight, const float* constant, float* h, \
        element* values, int stride, const long long* places, int columns, int rows, int frames) \
    { \
        embed<EACH>(mel, weight, constant, h, Frames { values, stride, places, columns, rows, frames }); \
    }

EMBED(8)
EMBED(32)

// Two outputs of a frame: the second convolution's input.
struct Convolved
{
    Frames to;

    // Of the block's first frame.
    __device__ __forceinline__ element* begin(int block) const { return to.at(block, 0); }

    __device__ __forceinline__ float2 before(int, int, int) const { return make_float2(0, 0); }

    __device__ __forceinline__ void finish(element* own, int, int frame, int output, float2, float y0, float y1) const
    {
        if (frame < to.frames)
            *(u32*)(own + (size_t)frame * to.stride + output) = narrow_pair(y0, y1);
    }
};

// h += y, and what the transformer's first product asks for (flow_products.cu).
struct Embedded
{
    float* h;
    const float* scale;
    element* scaled;
    float2* moments;
    int frames;

    __device__ __forceinline__ element* begin(int) const { return nullptr; }

    __device__ __forceinline__ float2 before(int block, int frame, int output) const
    {
        return frame < frames ? *(const float2*)(h + ((size_t)block * frames + frame) * DIM + output) : make_float2(0, 0);
    }

    __device__ __forceinline__ void finish(element*, int block, int frame, int output, float2 x, float y0, float y1) const
    {
        const size_t row = (size_t)block * frames + frame;
        x.x += y0;
        x.y += y1;
        const float2 slot = moments_of_slot(x.x, x.y);
        if (frame >= frames)
            return;
        *(float2*)(h + row * DIM + output) = x;
        const float2 scales = *(const float2*)(scale + output);
        *(u32*)(scaled + row * DIM + output) = narrow_pair(x.x * scales.x, x.y * scales.y);
        if (threadIdx.x % 16 == 0)
            moments[row * SLOTS + output / SLOT] = slot;
    }
};

__device__ __forceinline__ float mish(float x)
{
    const float e = __expf(fminf(x, 20.0f)), n = e * (e + 2); // x tanh(ln(1 + e^x))
    return x * __fdividef(n, n + 2);
}

// mish(convolution + bias) of ROWS frames and CONV_OUTPUTS outputs. weight [DIM, CONV_TAPS, CONV_GROUP]. A warp takes 32 frames and a part of the
// taps' inputs, whose weights it alone reads; the frames lie in shared memory.
template <int ROWS, typename Finish>
__device__ __forceinline__ void convolve(const Frames& from, const element* weight, const float* bias, const Finish& finish)
{
    constexpr int SPLITS = FEW_THREADS / 32 / (ROWS / 32), EACH = CONV_INPUTS / SPLITS, STEPS = EACH / 32, AHEAD = STEPS < 4 ? STEPS : 4;
    constexpr int WINDOW = ROWS + CONV_TAPS - 1;
    extern __shared__ uint4 shared[];
    const int warp = threadIdx.x / 32, g = threadIdx.x % 32 / 4, t = threadIdx.x % 4, part = warp % (ROWS / 32), split = warp / (ROWS / 32);
    const int output = blockIdx.x * CONV_OUTPUTS, block = blockIdx.z, first = blockIdx.y * ROWS;
    release_next();
    const element* const w = weight + (size_t)(output + g) * CONV_INPUTS + split * EACH + t * 8;
    uint4 ahead[AHEAD][CONV_OUTPUTS / 8];
#pragma unroll
    for (int step = 0; step < AHEAD; step++)
#pragma unroll
        for (int n = 0; n < CONV_OUTPUTS / 8; n++)
            ahead[step][n] = load_fresh(w + (size_t)n * 8 * CONV_INPUTS + step * 32);
    wait_for_previous();
    constexpr int PIECES = CONV_WIDTH / 8;
    const int channel = output / CONV_WIDTH * CONV_WIDTH;
    for (int i = threadIdx.x; i < WINDOW * PIECES; i += FEW_THREADS)
    {
        const int frame = first - CONV_TAIL + i / PIECES;
        const element* source = frame < from.frames ? from.at(block, frame) : nullptr;
        copy_async_or_zero((element*)shared + i / PIECES * CONV_PITCH + i % PIECES * 8,
            (source != nullptr ? source : from.values) + channel + i % PIECES * 8, source != nullptr);
    }
    commit_copies();
    wait_copies<0>();
    __syncthreads();
    float sums[2][CONV_OUTPUTS / 8][4] = {};
#pragma unroll
    for (int step = 0; step < STEPS; step++)
    {
        const int input = split * EACH + step * 32 + t * 8, tap = input / CONV_GROUP, within = input % CONV_GROUP;
        uint4 b[CONV_OUTPUTS / 8];
#pragma unroll
        for (int n = 0; n < CONV_OUTPUTS / 8; n++)
        {
            b[n] = ahead[step % AHEAD][n];
            if (step + AHEAD < STEPS)
                ahead[step % AHEAD][n] = load_fresh(w + (size_t)n * 8 * CONV_INPUTS + (step + AHEAD) * 32);
        }
#pragma unroll
        for (int set = 0; set < CONV_SETS; set++)
        {
            uint4 a[4];
#pragma unroll
            for (int i = 0; i < 4; i++)
                a[i] = *(const uint4*)((const element*)shared + (part * 32 + i * 8 + g + tap) * CONV_PITCH + set * CONV_GROUP + within);
#pragma unroll
            for (int n = set * (CONV_OUTPUTS / 8 / CONV_SETS); n < (set + 1) * (CONV_OUTPUTS / 8 / CONV_SETS); n++)
#pragma unroll
                for (int m = 0; m < 2; m++)
                {
                    multiply_add(sums[m][n], a[2 * m].x, a[2 * m + 1].x, a[2 * m].y, a[2 * m + 1].y, b[n].x, b[n].y);
                    multiply_add(sums[m][n], a[2 * m].z, a[2 * m + 1].z, a[2 * m].w, a[2 * m + 1].w, b[n].z, b[n].w);
                }
        }
    }
    __syncthreads(); // nobody reads the frames
    share_sums<ROWS, CONV_OUTPUTS>(shared, sums, split, part);
    __syncthreads();
    element* const own = finish.begin(block);
#pragma unroll
    for (int i = 0; i < ROWS * CONV_OUTPUTS / 2 / FEW_THREADS; i++)
    {
        const int row = threadIdx.x / 16 + i * 16, within = threadIdx.x % 16 * 2;
        const float2 sum = gather_sums<ROWS, CONV_OUTPUTS>(shared, row, within), biases = *(const float2*)(bias + output + within);
        finish.finish(own, block, first + row, output + within, finish.before(block, first + row, output + within), mish(sum.x + biases.x),
            mish(sum.y + biases.y));
    }
}

#define CONVOLVE(ROWS) \
    extern "C" __global__ void __launch_bounds__(FEW_THREADS, 2) flow_convolve_##ROWS(const element* values, int stride, const long long* places, \
        int columns, int rows, int frames, const element* weight, const float* bias, element* next) \
    { \
        convolve<ROWS>(Frames { (element*)values, stride, places, columns, rows, frames }, weight, bias, \
            Convolved { Frames { next, stride, places, columns, rows, frames } }); \
    } \
    extern "C" __global__ void __launch_bounds__(FEW_THREADS, 2) flow_convolve_add_##ROWS(const element* values, int stride, \
        const long long* places, int columns, int rows, int frames, const element* weight, const float* bias, float* h, const float* scale, \
        element* scaled, float2* moments) \
    { \
        convolve<ROWS>(Frames { (element*)values, stride, places, columns, rows, frames }, weight, bias, \
            Embedded { h, scale, scaled, moments, frames }); \
    }

CONVOLVE(32)
CONVOLVE(64)

#endif
